// A shop, for the types of Rust: what its functions are called with is printed by Tests/LiveTests/RustTests.swift.

// Hides a value from the optimiser; std::hint has it since Rust 1.66.
pub fn black_box<T>(value: T) -> T {
    unsafe {
        let seen = std::ptr::read_volatile(&value);
        std::mem::forget(value);
        seen
    }
}

#[derive(Clone, Copy)]
pub enum Kind { Book = 3, Toy, Food = 9 }

pub enum Payment { Cash, Card { number: u32, name: String }, Check(i64, bool) }

pub struct Point(i32, i32);

pub struct Item { pub id: u32, pub name: String, pub tags: Vec<u16>, pub kind: Kind, pub at: Point, pub letter: char, pub new: bool }

#[inline(never)]
pub fn describe(item: &Item, label: &str, parts: &[i32], letter: char) -> usize {
    let read = parts.iter().map(|part| *part as usize).sum::<usize>() + item.name.len();
    black_box(label);
    black_box(read) + label.len() + letter as usize
}

#[inline(never)]
pub fn pay(payment: &Payment, kind: Kind, change: Option<u32>, next: Option<&Item>, boxed: Option<Box<Point>>) -> i32 {
    black_box(payment);
    let mut total = kind as i32 + change.unwrap_or(0) as i32;
    if let Some(item) = next {
        total += item.id as i32;
    }
    if let Some(point) = &boxed {
        total += point.0 + point.1;
    }
    black_box(total)
}

#[inline(never)]
pub fn settle(result: Result<i32, String>, times: u8, pair: (i16, u32), flag: bool) -> i32 {
    black_box(pair.0 as i64 + pair.1 as i64 + flag as i64);
    match black_box(result) {
        Ok(number) => number * times as i32,
        Err(text) => text.len() as i32,
    }
}

pub trait Priced { fn price(&self) -> u64; }
impl Priced for Item {
    #[inline(never)]
    fn price(&self) -> u64 { black_box(self.id as u64 * 100) }
}
pub mod till {
    pub struct Till<T> { pub content: T, pub count: usize }
    impl<T: Copy + Into<u64>> Till<T> {
        #[inline(never)]
        pub fn add(&mut self, more: T) -> u64 { self.count += 1; super::black_box(more.into() + self.content.into()) }
    }
}

fn main() {
    let item = black_box(Item {
        id: 42,
        name: "lamp".to_string(),
        tags: vec![1, 2, 3],
        kind: Kind::Toy,
        at: Point(5, -6),
        letter: 'é',
        new: true,
    });
    let (parts, label) = (black_box(vec![10, 20, 30]), black_box("a label".to_string()));
    let mut sum = describe(&item, &label[..5], &parts, black_box('x'));
    let cash = black_box(Payment::Cash);
    let card = black_box(Payment::Card { number: 1234, name: "Ann".to_string() });
    let check = black_box(Payment::Check(-5, true));
    let point = Some(Box::new(Point(1, 2)));
    let kind = black_box(Kind::Book);
    sum += pay(&cash, kind, black_box(Some(8)), black_box(Some(&item)), black_box(point)) as usize;
    sum += settle(black_box(Ok(77)), black_box(2), black_box((7, 8)), black_box(true)) as usize;
    sum += settle(black_box(Err("bad".to_string())), black_box(3), black_box((-7, 9)), black_box(false)) as usize;
    sum += pay(&card, black_box(Kind::Toy), black_box(None), black_box(None), black_box(None)) as usize;
    sum += pay(&check, black_box(Kind::Food), black_box(Some(0)), Some(black_box(&item)), black_box(None)) as usize;
    sum += item.price() as usize;
    let mut till = till::Till { content: 5u32, count: black_box(2) };
    sum += till.add(black_box(6u32)) as usize;
    let rest = item.tags.len() + item.at.0 as usize + item.letter as usize + item.new as usize + item.kind as usize;
    println!("{}", sum + rest + till.count);
}
