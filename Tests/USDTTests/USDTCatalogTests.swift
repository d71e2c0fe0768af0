import ELF
import Foundation
import Platform
import TargetModel
import TestSupport
import Testing

@testable import USDT

/// A Debian binary and what is known about its probes.
struct KnownBinary: Sendable, CustomTestStringConvertible {
  let path: String
  let sites: Int
  let names: Int

  var testDescription: String { path }
}

@Suite("USDTCatalog") struct USDTCatalogTests {
  private static let known = [
    KnownBinary(path: "/usr/lib/postgresql/15/bin/postgres", sites: 71, names: 57),
    KnownBinary(path: "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", sites: 3, names: 3),
    KnownBinary(path: "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so", sites: 531, names: 0),
    KnownBinary(path: "/usr/bin/python3.11", sites: 0, names: 0),
  ].filter { FileManager.default.fileExists(atPath: $0.path) }

  @Test(arguments: known)
  func agreesWithReadelf(_ binary: KnownBinary) throws {
    let file = try ELFFile(path: binary.path)
    let catalog = USDTCatalog(file)
    var expected: [[String]] = []
    for line in try run("readelf", ["-n", binary.path]).output.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      switch fields[0] {
      case "Provider": expected.append([fields[1]])
      case "Name": expected[expected.count - 1].append(fields[1])
      case "Location":
        let numbers = line.split(separator: " ").compactMap { text in
          text.hasPrefix("0x") ? UInt64(text.dropFirst(2).prefix { $0 != "," }, radix: 16) : nil
        }
        expected[expected.count - 1] += ["\(numbers[0])", "\(numbers[2])"]
      case "Arguments": expected[expected.count - 1].append(fields[1])
      default: break
      }
    }
    let found = catalog.probes.flatMap { probe in
      probe.sites.map { site in
        let text = site.arguments.map(\.text).joined(separator: " ")
        return [
          probe.provider, probe.name, "\(site.linkAddress.raw)", "\(site.semaphoreAddress?.raw ?? 0)", text,
        ]
      }
    }
    #expect(Set(found) == Set(expected))
    #expect(found.count == expected.count)
    if binary.sites > 0 { #expect(found.count == binary.sites) }
    if binary.names > 0 { #expect(catalog.probes.count == binary.names) }
    #expect(catalog.problems.isEmpty)
  }

  @Test(arguments: known)
  func everySiteCanBeProbed(_ binary: KnownBinary) throws {
    let file = try ELFFile(path: binary.path)
    for probe in USDTCatalog(file).probes {
      for site in probe.sites {
        #expect(file.linkAddress(of: site.fileOffset) == site.linkAddress)
        let code = try #require(file.bytes(at: site.linkAddress, upTo: 1))
        #expect(code.copied() == [0x90])
        #expect((site.semaphore == nil) == (site.semaphoreAddress == nil))
        for argument in site.arguments {
          #expect(argument.plan != nil, "\(probe.name) \(argument.text)")
        }
      }
    }
  }

  @Test func postgresSearches() throws {
    guard let binary = USDTCatalogTests.known.first(where: { $0.path.hasSuffix("postgres") }) else { return }
    let catalog = USDTCatalog(try ELFFile(path: binary.path))
    #expect(catalog.providers == ["postgresql"])
    #expect(catalog.probes(named: "query-start").map(\.name) == ["query__start"])
    #expect(catalog.probes(named: "query__start").count == 1)
    #expect(catalog.probes(provider: "postgres*", named: "query-[a-z]*").count > 4)
    #expect(catalog.probes(provider: "python", named: "*").isEmpty)
    #expect(catalog.probes(named: "*").count == catalog.probes.count)
    #expect(catalog.probes(named: "query-start").first?.hasSemaphore == true)
    #expect(catalog.nearestProbeNames(to: "query-strat").first == "query__start")
    #expect(catalog.nearestProbeNames(to: "query-strat", provider: "postgers").first == "query__start")
  }

  @Test func prelinkedFilesAreAdjusted() throws {
    var note = try decodedNote(noteContent(site: 0x1010, base: 0x2000, semaphore: 0x3000))
    note.adjust(toBase: LinkAddress(0x7000))
    #expect(note.site == LinkAddress(0x6010))
    #expect(note.semaphore == LinkAddress(0x8000))
    var moved = try decodedNote(noteContent(site: 0x9010, base: 0x9000, semaphore: 0))
    moved.adjust(toBase: LinkAddress(0x1000))
    #expect(moved.site == LinkAddress(0x1010))
    #expect(moved.semaphore == nil)
  }

  @Test func cutNotesAreProblems() throws {
    let content = noteContent(site: 1, base: 2, semaphore: 3)
    for count in content.indices.dropLast() {
      // The last string may lack its zero; all of the arguments missing is a note without arguments.
      if count == content.count - arguments.utf8.count - 1 { continue }
      #expect(throws: ByteError.self, "\(count)") {
        try decodedNote(Array(content[..<count]))
      }
    }
    #expect(try decodedNote(content).arguments == arguments)
  }

  @Test func damagedSectionsKeepTheGoodNotes() throws {
    let good = encodedNote(noteContent(site: 0x10, base: 0, semaphore: 0))
    for count in 0...good.count {
      var writer = ELFWriter(machine: ELFConstant.machineX86_64)
      _ = writer.addSection(
        ".note.stapsdt",
        type: ELFConstant.sectionNote,
        alignment: 4,
        content: good + good[..<count]
      )
      let catalog = USDTCatalog(try ELFFile(SharedBytes(writer.encoded()), path: "object"))
      // A relocatable object has no segments, so its sites have no place to attach to.
      #expect(catalog.probes.isEmpty)
      #expect(catalog.problems.contains { $0.probe == "provider:name" })
    }
  }

  @Test func compiledProbesReadTheirSymbols() throws {
    let scratch = try ScratchDirectory()
    let source =
      noteMacro + """
        static volatile int counter = 7; static __thread volatile int mine = 3;
        int main(int argc, char **argv) {
          __asm__ volatile (NOTE("first", "0", "-4@counter(%%rip) 4@%%fs:mine@tpoff -4@%0") :: "nor" (argc));
          __asm__ volatile (NOTE("first", "0", "8@$5") :: );
          return counter + mine;
        }
        """
    let program = try scratch.compileC(source, to: "demo", flags: ["-O2", "-g"])
    let file = try ELFFile(path: program)
    let probe = try #require(USDTCatalog(file).probes.first)
    #expect(probe.sites.count == 2)
    #expect(probe.argumentCount == 3)
    let site = probe.sites[0]
    let counter = try #require(file.symbols.definition(of: "counter"))
    let distance = Int64(bitPattern: counter.address.raw &- site.linkAddress.raw)
    #expect(
      site.arguments[0].plan
        == .load(.user, byteCount: 4, isSigned: true, address: LocationPlan.register(16).offset(by: distance))
    )
    #expect(
      site.arguments[1].plan
        == .load(.user, byteCount: 4, isSigned: false, address: LocationPlan.threadPointer.offset(by: -4))
    )
    #expect(site.arguments[2].plan != nil)
  }

  /// The notes of a program for arm64, in one whose code nobody reads.
  @Test func readsNotesOfARM64() throws {
    let scratch = try ScratchDirectory()
    let source =
      noteMacro + """
        __attribute__((section(".probes"))) volatile unsigned short seen, other;
        int main(void) {
          __asm__ volatile (NOTE("first", "seen", "-4@[sp, 12] 8@x0 -4@w1 8@[x0,x1,lsl 3]") :: );
          __asm__ volatile (NOTE("first", "other", "-4@-7 8@[x19] 4@wzr 8@[x0, w2, uxtw #2]") :: );
          __asm__ volatile (NOTE("second", "0", "4f@s0 -2@[x29,-18]") :: );
          return seen + other;
        }
        """
    let program = try scratch.compileC(source, to: "demo", flags: ["-O2", "-no-pie"])
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: program)))
    // e_machine (System V gABI, chapter 4).
    bytes.replaceSubrange(18..<20, with: [UInt8(ELFConstant.machineAArch64), 0])
    let catalog = USDTCatalog(try ELFFile(SharedBytes(bytes), path: program))
    #expect(catalog.problems.isEmpty)
    #expect(catalog.probes.map(\.name) == ["first", "second"])
    let first = try #require(catalog.probes.first)
    #expect(first.sites.count == 2)
    #expect(Set(first.sites.map(\.semaphore)).count == 2 && first.sites.allSatisfy { $0.semaphore != nil })
    func load(_ byteCount: Int, _ isSigned: Bool, _ address: LocationPlan) -> LocationPlan {
      .load(.user, byteCount: byteCount, isSigned: isSigned, address: address)
    }
    let shifted = LocationPlan.binary(.shiftLeft, .register(1), .constant(3))
    let narrow = LocationPlan.extend(.register(2), byteCount: 4, isSigned: false)
    #expect(
      first.sites.map { $0.arguments.map(\.plan) } == [
        [
          load(4, true, .register(31).offset(by: 12)), .register(0),
          .extend(.register(1), byteCount: 4, isSigned: true),
          load(8, false, .binary(.add, .register(0), shifted)),
        ],
        [
          .constant(-7), load(8, false, .register(19)), .constant(0),
          load(8, false, .binary(.add, .register(0), .binary(.shiftLeft, narrow, .constant(2)))),
        ],
      ]
    )
    let last = try #require(catalog.probes.last?.sites.first?.arguments)
    #expect(last[0].plan == nil && "\(last[0].result)".contains("s0"))
    #expect(last[1].plan == load(2, true, .register(29).offset(by: -18)))
  }
}

/// A mark as <sys/sdt.h> writes it: its name, its semaphore or 0, its arguments.
private let noteMacro = """
  #define NOTE(name, semaphore, args) \\
    "990: nop\\n.pushsection .note.stapsdt,\\"\\",\\"note\\"\\n.balign 4\\n.4byte 992f-991f, 994f-993f, 3\\n" \\
    "991: .asciz \\"stapsdt\\"\\n992: .balign 4\\n993: .8byte 990b\\n.8byte _.stapsdt.base\\n" \\
    ".8byte " semaphore "\\n.asciz \\"demo\\"\\n.asciz \\"" name "\\"\\n.asciz \\"" args "\\"\\n994: .balign 4\\n" \\
    ".popsection\\n.ifndef _.stapsdt.base\\n" \\
    ".pushsection .stapsdt.base,\\"aG\\",\\"progbits\\",.stapsdt.base,comdat\\n" \\
    ".weak _.stapsdt.base\\n.hidden _.stapsdt.base\\n_.stapsdt.base: .space 1\\n.size _.stapsdt.base, 1\\n" \\
    ".popsection\\n.endif\\n"

  """

private let arguments = "-4@%edi 8@(%rsp)"

private func noteContent(site: UInt64, base: UInt64, semaphore: UInt64) -> [UInt8] {
  var writer = ByteWriter()
  for address in [site, base, semaphore] { writer.write(address) }
  for text in ["provider", "name", arguments] { writer.writeString(text) }
  return writer.bytes
}

private func decodedNote(_ content: [UInt8]) throws -> StapsdtNote {
  let bytes = SharedBytes(content)
  return try StapsdtNote(bytes.span, addressByteCount: 8)
}

private func encodedNote(_ content: [UInt8]) -> [UInt8] {
  var writer = ByteWriter()
  for value: UInt32 in [8, UInt32(content.count), 3] { writer.write(value) }
  writer.writeString("stapsdt")
  writer.write(content)
  writer.align(to: 4)
  return writer.bytes
}
