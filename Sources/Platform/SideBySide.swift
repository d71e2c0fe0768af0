import Synchronization

/// Work in pieces that do not depend on one another, done by this thread and others.
///
/// Creating the maps of a module and verifying its programs is most of what a start with a cached module does, reading
/// the script library much of what another one does, waiting for links to end most of what an end does.
package enum SideBySide {
  /// What `piece` makes of each index below `count`, in their order; pieces are begun in that order, too.
  package static func run<Product: Sendable>(
    _ count: Int,
    threads: Int = 2,
    _ piece: @escaping @Sendable (Int) -> Product
  ) -> [Product] {
    if count < 2 { return (0..<count).map(piece) }
    let shared = Shared<Product>(count)
    shared.work(piece, threads: min(threads, count))
    return shared.products.withLock { $0.compactMap { $0 } }
  }

  /// What `transform` makes of each of `items`, which are handed out in runs of `grain`; a single run is done here.
  package static func map<Item: Sendable, Product: Sendable>(
    _ items: [Item],
    grain: Int,
    _ transform: @escaping @Sendable (Item) -> Product
  ) -> [Product] {
    if items.count <= grain { return items.map(transform) }
    return unsafe Array(unsafeUninitializedCapacity: items.count) { slots, count in
      let slots = unsafe Slots(first: slots)
      _ = run((items.count - 1) / grain + 1) { run in
        for index in run * grain..<min((run + 1) * grain, items.count) {
          unsafe slots.first.initializeElement(at: index, to: transform(items[index]))
        }
      }
      count = items.count
    }
  }

  /// Where products go, each of which is put there by one thread.
  // SAFETY: no two threads touch the same element, and the array is read when all are done.
  @safe private struct Slots<Product>: @unchecked Sendable {
    @unsafe let first: UnsafeMutableBufferPointer<Product>
  }

  /// Does `work`, and `other` in another thread meanwhile; both are done afterwards.
  package static func run<Product, Failure>(
    beside other: @escaping @Sendable () -> Void,
    _ work: () throws(Failure) -> Product
  ) throws(Failure) -> Product {
    let thread = WorkerThread(other)
    let product = Result { () throws(Failure) in try work() }
    thread.value()
    return try product.get()
  }

  private final class Shared<Product: Sendable>: Sendable {
    let products: Mutex<[Product?]>
    private let count: Int
    private let begun = Atomic(0)
    private let done: Countdown

    init(_ count: Int) {
      self.count = count
      done = Countdown(from: count)
      products = Mutex(Array(repeating: nil, count: count))
    }

    /// Works here and in other threads, until all is done.
    func work(_ piece: @escaping @Sendable (Int) -> Product, threads: Int) {
      for _ in 1..<threads { _ = WorkerThread { self.work(piece) } }
      work(piece)
      done.wait()
    }

    private func work(_ piece: (Int) -> Product) {
      while true {
        let index = begun.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        let product = piece(index)
        products.withLock { $0[index] = product }
        done.step()
      }
    }
  }
}
