import Foundation
import Platform
import TestSupport
import Testing

@Suite("Directories of things that can be made again") struct CacheDirectoryTests {
  private let scratch: ScratchDirectory
  private let cache: CacheDirectory

  init() throws {
    scratch = try ScratchDirectory()
    cache = CacheDirectory(scratch.path + "/cache")
  }

  private func names() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: cache.path)) ?? []).sorted()
  }

  private func age(_ name: String, days: Double) throws {
    let date = Date(timeIntervalSinceNow: -days * 86_400)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(cache.path)/\(name)")
  }

  @Test("what is written is read back, by its owner alone")
  func roundTrip() throws {
    cache.write("a", [1, 2, 3])
    #expect(cache.read("a")?.copied() == [1, 2, 3])
    #expect(cache.read("b") == nil)
    let status = try FileStatus(of: cache.path + "/a")
    #expect(status.permissions & 0o777 == 0o600)
    try FileManager.default.setAttributes([.posixPermissions: 0o622], ofItemAtPath: cache.path + "/a")
    #expect(cache.read("a") == nil)
  }

  @Test("the files that were not used for longest go first")
  func prunes() throws {
    for (name, days) in [("new", 0), ("old", 30), ("older", 60), ("used", 90)] as [(String, Double)] {
      cache.write(name, [UInt8](repeating: 0, count: 100))
      try age(name, days: days)
    }
    _ = cache.read("used")
    cache.prune(toByteCount: 400)
    #expect(names() == ["new", "old", "older", "used"])
    cache.prune(toByteCount: 399)
    #expect(names() == ["new", "old", "used"])
    cache.prune(toByteCount: 200)
    #expect(names() == ["new", "used"])
    cache.prune(toByteCount: 0)
    #expect(names().isEmpty)
  }

  @Test("reading a file of today does not write to it")
  func untouched() throws {
    cache.write("a", [1])
    try age("a", days: 0.5)
    let before = try FileStatus(of: cache.path + "/a").modifiedNanoseconds
    _ = cache.read("a")
    #expect(try FileStatus(of: cache.path + "/a").modifiedNanoseconds == before)
  }
}
