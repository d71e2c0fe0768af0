import Dispatch
import ELF
import Platform
import Synchronization

/// Runs scanners over all units of an image, on several threads where that pays.
enum ParallelScan {
  /// Below this a second thread costs more than it saves.
  private static let byteCountWorthAThread = 1 << 20

  /// Scans every unit of an image; one output a thread.
  ///
  /// Units that refer to each other need all of them: what was scanned in pieces is then scanned once more.
  /// - Parameter worthPieces: how large a packed section must be to be scanned in pieces.
  /// - Returns: also the sections that strings are in, and how single units of a packed section can be unpacked, if
  ///   none refers to another.
  static func run(
    main: ELFFile,
    alternate: ELFFile?,
    threads: Int,
    worthPieces: Int = UnitFeed.byteCountWorthPieces
  ) -> (outputs: [ScanOutput], sections: DwarfSections, access: UnitAccess?) {
    if let feed = UnitFeed.inPieces(main: main, alternate: alternate, worthPieces: worthPieces) {
      let outputs = run(feed, threads: threads)
      if feed.isBroken { return ([], feed.catalog.files, nil) }
      if !outputs.contains(where: \.hasForeignOrigins) {
        let isClosed = !outputs.contains(where: \.hasForeignReferences)
        return (outputs, feed.catalog.files, isClosed ? feed.access : nil)
      }
    }
    let catalog = UnitCatalog(DwarfSections(main: main, alternate: alternate))
    return (run(UnitFeed(catalog), threads: threads), catalog.files, nil)
  }

  /// Scans what `feed` has; one output a thread.
  static func run(_ feed: UnitFeed, threads: Int) -> [ScanOutput] {
    let outputs = Outputs()
    onThreads(threads, for: feed) {
      var scanner = UnitScanner(feed.catalog)
      while let batch = feed.next() {
        for header in batch.headers { scanner.scan(header, batch.files) }
        if feed.isInPieces && scanner.output.hasForeignOrigins { feed.stop() }
      }
      let output = scanner.output
      outputs.all.withLock { $0.append(output) }
    }
    return outputs.all.withLock { $0 }
  }

  /// Does `work`, which takes what `feed` has, on as many threads as pay.
  static func onThreads(_ threads: Int, for feed: UnitFeed, _ work: @Sendable () -> Void) {
    let count = min(threads, 1 + feed.byteCount / byteCountWorthAThread)
    guard count > 1 else { return work() }
    DispatchQueue.concurrentPerform(iterations: count) { _ in work() }
  }

  private final class Outputs: Sendable {
    let all = Mutex<[ScanOutput]>([])
  }
}
