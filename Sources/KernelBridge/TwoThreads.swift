import Platform
import Synchronization

/// Work in pieces that wait on nothing but the kernel, done by this thread and one more.
///
/// Creating the maps of a module and verifying its programs is most of what a start with a cached module does.
enum TwoThreads {
  /// What `piece` makes of each index below `count`, in their order; pieces are begun in that order, too.
  static func run<Product: Sendable>(
    _ count: Int,
    _ piece: @escaping @Sendable (Int) -> Product
  ) -> [Product] {
    if count < 2 { return (0..<count).map(piece) }
    let shared = Shared<Product>(count)
    let second = WorkerThread { shared.work(piece) }
    shared.work(piece)
    second.value()
    return shared.products.withLock { $0.compactMap(\.self) }
  }

  private final class Shared<Product: Sendable>: Sendable {
    let products: Mutex<[Product?]>
    private let count: Int
    private let begun = Atomic(0)

    init(_ count: Int) {
      self.count = count
      products = Mutex(Array(repeating: nil, count: count))
    }

    func work(_ piece: (Int) -> Product) {
      while true {
        let index = begun.add(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        let product = piece(index)
        products.withLock { $0[index] = product }
      }
    }
  }
}
