import BPFObject
import Foundation
import KernelBridge
import TargetModel
import TestSupport
import Testing

extension Tag {
  /// Needs a kernel that lets us load programs.
  @Tag static var kernel: Self
}

/// Cancels a test with the name of what is missing, so that it is counted as skipped and not as passed.
struct Needs: TestTrait, SuiteTrait, TestScoping {
  let features: [KernelFeature]

  func provideScope(
    for test: Test,
    testCase: Test.Case?,
    performing function: @Sendable () async throws -> Void
  ) async throws {
    let session = KernelSession()
    for feature in features {
      if case .missing(let reason) = session.features.state(of: feature) {
        try Test.cancel("needs \(feature.title) (Linux \(feature.since)): \(reason)")
      }
    }
    try await function()
  }
}

extension Trait where Self == Needs {
  static func needs(_ features: KernelFeature...) -> Self { Needs(features: features) }
}

/// A running program with functions `f` and `g` that call on command: one byte in, one byte out.
final class Victim {
  let path: String
  let offsets: [String: UInt64]
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  /// `calls`: functions called, in order, for each byte.
  init(in scratch: ScratchDirectory, calls: String = "f(1); g(2);", functions: String = standard) throws {
    let source = """
      #include <unistd.h>
      \(functions)
      int main(void) {
        char byte = 0;
        while (read(0, &byte, 1) == 1) { \(calls) if (write(1, &byte, 1) != 1) return 1; }
        return 0;
      }
      """
    path = try scratch.compileC(source, to: "victim-\(UUID().uuidString)", flags: ["-O1", "-no-pie"])
    let symbols = try run("nm", [path]).output
    // The test programs are linked at 0x400000 and text follows the headers: offset = address - 0x400000.
    offsets = Dictionary(
      symbols.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: " ")
        guard fields.count == 3, let address = UInt64(fields[0], radix: 16), address >= 0x400000 else {
          return nil
        }
        return (String(fields[2]), address - 0x400000)
      }
    ) { first, _ in first }
    process.executableURL = URL(fileURLWithPath: path)
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  static let standard = """
    __attribute__((noinline)) long f(long x) { __asm__ volatile("" ::: "memory"); return x + 1; }
    __attribute__((noinline)) long g(long x) { __asm__ volatile("" ::: "memory"); return x + 2; }
    """

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  var pid: Int32 { process.processIdentifier }

  var isRunning: Bool { process.isRunning }

  /// Makes the program do its calls `count` times.
  func work(_ count: Int) throws {
    for _ in 0..<count {
      try input.fileHandleForWriting.write(contentsOf: [65])
      let answer = output.fileHandleForReading.readData(ofLength: 1)
      guard answer.count == 1 else { throw CommandFailure(command: path, output: "it ended") }
    }
  }

  func site(_ function: String, cookie: UInt64 = 0) throws -> AttachSite {
    AttachSite(path: path, offset: FileOffset(try #require(offsets[function])), cookie: cookie)
  }
}

/// `counts[cookie]++`, or `counts[0]++` for cookies out of range.
func countingProgram(_ kind: ProgramKind, name: String = "count") throws -> ModuleBlueprint {
  let counts = MapSpec.array("counts", valueByteCount: 8, count: 8, flags: .mappable)
  var code = Assembler(program: name)
  code.position = SourcePosition(file: 0, line: 1, column: 1)
  code.call(.getAttachCookie)
  code.emit(.store(.word, .r10, -4, .r0))
  code.loadMap(.r1, counts.reference)
  code.emit(.move(.r2, .r10))
  code.emit(.arithmetic(.add, .r2, -4))
  code.call(.mapLookupElement)
  let end = code.makeLabel()
  code.jump(if: .equal, .r0, 0, to: end)
  code.emit(.move(.r1, 1))
  code.emit(.atomic(.add, .double, .r0, 0, .r1))
  code.place(end)
  code.emit(.move(.r0, 0))
  code.emit(.exit)
  return ModuleBlueprint(
    maps: [counts],
    programs: [ProgramSpec(name: name, kind: kind, code: try code.finish())],
    sources: [SourceFile(name: "count.stp", text: "probe p { counts[cookie]++ }\n")]
  )
}

/// What the kernel says about each descriptor that this process has open.
func descriptorDetails() throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fdinfo").compactMap {
    try? String(contentsOfFile: "/proc/self/fdinfo/" + $0, encoding: .utf8)
  }
}
