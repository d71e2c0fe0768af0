import Glibc
import Platform

/// A file on its way from a debuginfod server.
package struct DebugDownload: Sendable {
  /// The program that the debug info is for.
  package var program: String
  /// So far, in the server's own units, which are bytes once it knows the size.
  package var received: Int
  /// Nil until it is known.
  package var total: Int?
  package var isFinished: Bool
}

/// Asks debuginfod servers (debuginfod(8)) by way of elfutils' client library, which keeps what it gets in
/// `~/.cache/debuginfod_client`.
///
/// The servers are those of `DEBUGINFOD_URLS`; without it nobody is asked.
struct DebuginfodClient {
  private let library: OptionalLibrary
  let timeLimitSeconds: Int
  let onProgress: (@Sendable (DebugDownload) -> Void)?

  private typealias Begin = @convention(c) () -> OpaquePointer?
  private typealias End = @convention(c) (OpaquePointer?) -> Void
  private typealias Progress = @convention(c) (OpaquePointer?, Int, Int) -> CInt
  private typealias SetProgress = @convention(c) (OpaquePointer?, Progress?) -> Void
  private typealias SetUserData = @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Void
  private typealias Find =
    @convention(c) (
      OpaquePointer?, UnsafePointer<UInt8>?, CInt, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> CInt

  /// Nil when the library is not there.
  init?(timeLimitSeconds: Int, onProgress: (@Sendable (DebugDownload) -> Void)?) {
    guard let library = OptionalLibrary("libdebuginfod.so.1") else { return nil }
    self.library = library
    self.timeLimitSeconds = timeLimitSeconds
    self.onProgress = onProgress
  }

  /// What a download needs while it runs.
  private final class Transfer {
    let program: String
    let deadline: UInt64
    let onProgress: (@Sendable (DebugDownload) -> Void)?
    var last = DebugDownload(program: "", received: 0, total: nil, isFinished: false)
    var isLate = false

    init(_ program: String, _ client: DebuginfodClient) {
      self.program = program
      deadline = Clock.monotonicNanoseconds() + UInt64(max(client.timeLimitSeconds, 0)) * 1_000_000_000
      onProgress = client.onProgress
    }

    /// False to give up.
    func advance(_ received: Int, _ total: Int) -> Bool {
      last = DebugDownload(
        program: program,
        received: received,
        total: total > 0 ? total : nil,
        isFinished: false
      )
      onProgress?(last)
      isLate = Clock.monotonicNanoseconds() > deadline
      return !isLate
    }
  }

  /// Where the debug file for `buildID` lies now, or why there is none.
  func find(_ buildID: [UInt8], for program: String) -> Result<String, DebuginfodFailure> {
    guard let begin = unsafe library.function("debuginfod_begin", as: Begin.self),
      let end = unsafe library.function("debuginfod_end", as: End.self),
      let find = unsafe library.function("debuginfod_find_debuginfo", as: Find.self),
      let setProgress = unsafe library.function("debuginfod_set_progressfn", as: SetProgress.self),
      let setUserData = unsafe library.function("debuginfod_set_user_data", as: SetUserData.self),
      let session = unsafe begin()
    else { return .failure(DebuginfodFailure(reason: "libdebuginfod does not start")) }
    defer { unsafe end(session) }
    let transfer = Transfer(program, self)
    unsafe setUserData(session, Unmanaged.passUnretained(transfer).toOpaque())
    unsafe setProgress(session) { session, received, total in
      guard let data = unsafe DebuginfodClient.userData(of: session) else { return 0 }
      let transfer = unsafe Unmanaged<Transfer>.fromOpaque(data).takeUnretainedValue()
      return transfer.advance(received, total) ? 0 : 1
    }
    var path: UnsafeMutablePointer<CChar>?
    let descriptor = unsafe find(session, buildID, CInt(buildID.count), &path)
    if transfer.last.received > 0 {
      transfer.last.isFinished = true
      onProgress?(transfer.last)
    }
    defer { unsafe free(path) }
    guard descriptor >= 0 else {
      let isLate = transfer.isLate
      let reason =
        isLate
        ? "not within \(timeLimitSeconds) s" : SystemError("debuginfod", on: program, code: -descriptor).text
      return .failure(DebuginfodFailure(reason: reason))
    }
    close(descriptor)
    guard let path = unsafe path else { return .failure(DebuginfodFailure(reason: "no path")) }
    return .success(unsafe String(cString: path))
  }

  @unsafe private static func userData(of session: OpaquePointer?) -> UnsafeMutableRawPointer? {
    typealias Get = @convention(c) (OpaquePointer?) -> UnsafeMutableRawPointer?
    guard let library = OptionalLibrary("libdebuginfod.so.1"),
      let get = unsafe library.function("debuginfod_get_user_data", as: Get.self)
    else { return nil }
    return unsafe get(session)
  }
}

/// Why a server gave nothing.
struct DebuginfodFailure: Error {
  var reason: String
}
