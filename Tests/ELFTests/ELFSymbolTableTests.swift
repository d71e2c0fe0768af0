import Platform
import TargetModel
import TestSupport
import Testing

@testable import ELF

@Suite("ELFSymbolTable") struct ELFSymbolTableTests {
  @Test(arguments: TestBinaries.installed)
  func functionsAgreeWithReadelf(_ path: String) throws {
    let symbols = try ELFFile(path: path).symbols
    var expected: Set<String> = []
    // Num: Value Size Type Bind Vis Ndx Name
    for line in try readelf("--dyn-syms", path) {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      guard fields.count >= 8, fields[3] == "FUNC" || fields[3] == "IFUNC", fields[6] != "UND" else {
        continue
      }
      let name = fields[7].split(separator: "@")[0]
      expected.insert("\(UInt64(fields[1], radix: 16) ?? 0) \(name)")
    }
    let found = symbols.functions(matching: GlobPattern("*")).map { "\($0.address.raw) \($0.name)" }
    #expect(Set(found).isSuperset(of: expected))
    #expect(!symbols.hasSymtab == (Set(found) == expected) || symbols.hasSymtab)
    #expect(found.count >= expected.count)
  }

  @Test func postgresExportsWhatItExports() throws {
    guard TestBinaries.installed.contains(TestBinaries.postgres) else { return }
    let symbols = try ELFFile(path: TestBinaries.postgres).symbols
    let main = try #require(symbols.definition(of: "PostgresMain"))
    #expect(main.isExported)
    #expect(main.isFunction)
    #expect(symbols.symbol(containing: main.address.advanced(by: 5))?.name == "PostgresMain")
    #expect(symbols.functions(matching: GlobPattern("Postgres?ain")) == [main])
    let undefined = try #require(symbols.symbols(named: "memcpy").first)
    #expect(!undefined.isDefined)
    #expect(undefined.version?.hasPrefix("GLIBC_") == true)
  }

  @Test func libcVersionsAndResolvers() throws {
    guard TestBinaries.installed.contains(TestBinaries.libc) else { return }
    let symbols = try ELFFile(path: TestBinaries.libc).symbols
    #expect(symbols.definition(of: "memcpy")?.kind == .indirectFunction)
    #expect(symbols.definition(of: "memcpy")?.version == "GLIBC_2.14")
    let old = symbols.symbols(named: "memcpy@GLIBC_2.2.5")
    #expect(old.count == 1)
    #expect(old.first?.isDefaultVersion == false)
    let malloc = try #require(symbols.definition(of: "malloc"))
    #expect(symbols.symbols(at: malloc.address).map(\.name).contains("__libc_malloc") || malloc.byteCount > 0)
  }

  @Test func bothTablesGiveASymbolOnce() throws {
    let program = try ELFFixture.program(flags: ["-g", "-O1", "-rdynamic"])
    let symbols = try ELFFile(path: program.path).symbols
    #expect(symbols.hasSymtab)
    #expect(symbols.symbols(named: "visible").map(\.source) == [.symtab])
    #expect(symbols.functions(matching: GlobPattern("vis*")).count == 1)
    #expect(symbols.definition(of: "alias")?.binding == .weak)
    #expect(symbols.definition(of: "counter")?.kind == .object)
    #expect(symbols.definition(of: "nothing") == nil)
    #expect(symbols.symbols(named: "").isEmpty)
    #expect(symbols.symbols(named: "@").isEmpty)
    #expect(symbols.symbol(at: -1) == nil)
    #expect(symbols.symbol(at: symbols.count) == nil)
  }

  @Test func addressesFindTheirFunction() throws {
    let program = try ELFFixture.program()
    let symbols = try ELFFile(path: program.path).symbols
    for function in symbols.functions(matching: GlobPattern("*")) where function.byteCount > 0 {
      let last = function.address.advanced(by: Int64(function.byteCount) - 1)
      #expect(symbols.symbol(containing: function.address)?.address == function.address)
      #expect(symbols.symbol(containing: last)?.address == function.address)
    }
    #expect(symbols.symbol(containing: LinkAddress(0)) == nil)
  }

  @Test func strippedProgramsHaveOnlyDynamicSymbols() throws {
    let program = try ELFFixture.program(flags: ["-O1", "-s", "-rdynamic"])
    let symbols = try ELFFile(path: program.path).symbols
    #expect(!symbols.hasSymtab)
    #expect(symbols.definition(of: "visible")?.isExported == true)
    #expect(symbols.definition(of: "hidden") == nil)
  }
}
