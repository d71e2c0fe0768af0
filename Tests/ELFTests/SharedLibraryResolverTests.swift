import Foundation
import Platform
import TestSupport
import Testing

@testable import ELF

@Suite("SharedLibraryResolver") struct SharedLibraryResolverTests {
  @Test(arguments: TestBinaries.installed.filter { !$0.contains(".so") })
  func agreesWithLdd(_ path: String) throws {
    let libraries = SharedLibraryResolver(environment: Environment([:])).libraries(
      of: try ELFFile(path: path)
    )
    // `name => path (0x…)`
    for line in try run("ldd", [path]).output.split(separator: "\n") where line.contains("=> /") {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      let library = try #require(libraries.first { $0.name == fields[0] }, "\(fields[0])")
      #expect(try Paths.canonical(library.path ?? "/nonexistent") == Paths.canonical(fields[2]))
    }
    #expect(libraries.allSatisfy { $0.path != nil })
  }

  @Test func runpathsAndVariables() throws {
    let scratch = try ScratchDirectory()
    let source = "int f(void) { return 1; }"
    try createDirectories("\(scratch.path)/one")
    try createDirectories("\(scratch.path)/two")
    for directory in ["one", "two"] {
      _ = try scratch.compileC(source, to: "\(directory)/libf.so", flags: ["-shared", "-fPIC"])
    }
    let flags = [
      "-L\(scratch.path)/one", "-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN/one", "-Wl,--enable-new-dtags",
    ]
    _ = try scratch.write("int main(void) { return 0; }", to: "main.c")
    let arguments = ["-o", "\(scratch.path)/main", "\(scratch.path)/main.c"] + flags + ["-lf"]
    #expect(try run("gcc", arguments).status == 0)
    let file = try ELFFile(path: "\(scratch.path)/main")
    #expect(file.dynamic?.runpath == ["$ORIGIN/one"])
    func found(_ variables: [String: String]) throws -> String? {
      let resolver = SharedLibraryResolver(environment: Environment(variables))
      return try resolver.path(of: "libf.so", neededBy: file).map { try Paths.canonical($0) }
    }
    let base = try Paths.canonical(scratch.path)
    #expect(try found([:]) == "\(base)/one/libf.so")
    #expect(try found(["LD_LIBRARY_PATH": "/nonexistent:\(base)/two"]) == "\(base)/two/libf.so")
    let resolver = SharedLibraryResolver(environment: Environment([:]))
    #expect(resolver.path(of: "libnothing.so", neededBy: file) == nil)
    #expect(resolver.libraries(of: file, matching: "f.so").map(\.name) == ["libf.so"])
  }

  @Test func theCacheListsTheCLibrary() throws {
    let bytes = try SharedBytes(mapping: "/etc/ld.so.cache")
    let cache = LoaderCache(bytes.span)
    #expect(cache.entries.count > 10)
    #expect(cache.paths(of: "libc.so.6").contains { $0.hasSuffix("/libc.so.6") })
  }

  @Test func cutCachesNeverTrap() throws {
    let bytes = try readSmallFile("/etc/ld.so.cache")
    for count in Array(0..<200) + Array(stride(from: 200, to: bytes.count, by: 97)) {
      _ = LoaderCache(SharedBytes(Array(bytes[..<count])).span)
    }
  }
}
