import DwarfIndex
import Platform
import Synchronization

/// Shows on a terminal how much of a debug file has come from a debuginfod server.
final class DownloadProgress: Sendable {
  /// When a line was last written; 0: not yet.
  private let last = Mutex<UInt64>(0)
  private static let interval: UInt64 = 100_000_000

  /// What ``DebugInfoOptions/onDownload`` calls; nil where nobody looks.
  static func reporter(_ options: PresentationOptions) -> (@Sendable (DebugDownload) -> Void)? {
    guard StandardStream.error.isTerminal, !options.json else { return nil }
    let progress = DownloadProgress()
    return { progress.show($0) }
  }

  private func show(_ download: DebugDownload) {
    let now = Clock.monotonicNanoseconds()
    let isDue = last.withLock { last in
      guard download.isFinished || now - last >= Self.interval else { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let received = Self.megabytes(download.received)
    let amount = download.total.map { "\(received) of \(Self.megabytes($0)) MB" } ?? "\(received) MB"
    let line = "debuginfod: \(Paths.name(of: download.program)): \(amount)"
    // Back to the first column, and away with what is behind the cursor.
    StandardStream.error.write("\r\(line)\u{1b}[K" + (download.isFinished ? "\n" : ""))
  }

  private static func megabytes(_ byteCount: Int) -> String {
    let tenths = byteCount / 100_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}
