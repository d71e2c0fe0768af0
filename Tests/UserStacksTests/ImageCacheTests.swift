import Foundation
import Platform
import TargetModel
import Testing

@testable import UserStacks

@Suite("Files behind mappings") struct ImageCacheTests {
  /// What is read of a file on demand must not need the process that it was found by.
  @Test("are read after the end of the process that they were found by")
  func outlive() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sleep")
    process.arguments = ["60"]
    try process.run()
    let pid = process.processIdentifier
    defer { kill(pid, SIGKILL) }
    var region: MappedRegion?
    while region == nil && process.isRunning {
      region = try RunningProcess(pid: pid).maps().regions.first {
        $0.permissions.contains(.execute) && $0.path.hasSuffix("/sleep")
      }
    }
    let code = try #require(region)
    let image = try #require(ImageCache().image(of: code, pid: pid))
    kill(pid, SIGKILL)
    process.waitUntilExit()
    let rules = stride(from: code.start, to: code.end, by: 64).compactMap { address in
      image.image.linkAddress(of: code.fileOffset(of: address)).flatMap { image.unwindRules(at: $0) }
    }
    #expect(rules.count > 10)
  }
}
