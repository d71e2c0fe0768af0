import Dispatch
import Platform
import Synchronization

/// Runs scanners over all units of an image, on several threads where that pays.
enum ParallelScan {
  /// Below this a second thread costs more than it saves.
  private static let byteCountWorthAThread = 1 << 20
  /// Units are handed out in batches of about this size.
  private static let batchByteCount = 1 << 17

  /// Scans every unit; one output a thread.
  static func run(_ catalog: UnitCatalog, threads: Int) -> [ScanOutput] {
    let threads = min(threads, 1 + catalog.byteCount / byteCountWorthAThread)
    let board = Board()
    let work: @Sendable (Int) -> Void = { _ in
      var scanner = UnitScanner(catalog)
      while true {
        let batch = board.next.withLock { takeBatch(from: &$0, catalog) }
        guard !batch.isEmpty else { break }
        for index in batch { scanner.scan(catalog.headers[index]) }
      }
      let output = scanner.output
      board.outputs.withLock { $0.append(output) }
    }
    if threads <= 1 { work(0) } else { DispatchQueue.concurrentPerform(iterations: threads, execute: work) }
    return board.outputs.withLock { $0 }
  }

  /// What the threads share: the next unit to scan and the finished outputs.
  private final class Board: Sendable {
    let next = Mutex(0)
    let outputs = Mutex<[ScanOutput]>([])
  }

  private static func takeBatch(from next: inout Int, _ catalog: UnitCatalog) -> Range<Int> {
    let start = next
    var byteCount = 0
    while next < catalog.headers.count && byteCount < batchByteCount {
      byteCount += catalog.headers[next].end - catalog.headers[next].start
      next += 1
    }
    return start..<next
  }
}
