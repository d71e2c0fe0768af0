package import BPFObject
import Platform

/// Why the verifier refused a program.
package struct VerifierFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package let program: String
  package let code: CInt
  /// The source line of the instruction that it stopped at.
  package let position: SourcePosition?
  /// The name of the script of ``position``, and the line's text.
  package let sourceName: String?
  package let sourceLine: String?
  /// The last lines before the statistics: the instruction and the complaint.
  package let tellingLines: [String]
  package let log: String
  /// Whether the program is right but too large or too involved.
  package let isTooLarge: Bool
  /// Where the verifier spent most of its steps, as `FILE:LINE:COLUMN`, as far as the log tells.
  package let busiestPlace: String?

  package var description: String {
    var text = "the verifier refused program \(program)"
    if let position, let sourceName { text += " at \(sourceName):\(position.line):\(position.column)" }
    text += tellingLines.isEmpty ? ": \(errorText(code))" : ": " + (tellingLines.last ?? "")
    return text
  }

  /// Reads the kernel's log of level 1.
  init(program: ProgramSpec, sources: [SourceFile], code: CInt, log: String) {
    self.program = program.name
    self.code = code
    self.log = log
    let lines = log.split(separator: "\n").map(String.init)
    isTooLarge = Self.complaintsOfSize.contains { log.contains($0) }
    busiestPlace = isTooLarge ? Self.busiestPlace(lines, program, sources) : nil
    // Statistics follow the complaint: "processed 12 insns (limit 1000000) …", "verification time …".
    let end = lines.firstIndex { $0.hasPrefix("processed ") || $0.hasPrefix("verification time") }
    let body = lines[..<(end ?? lines.endIndex)]
    tellingLines = Array(body.suffix(4))
    let slot = body.reversed().lazy.compactMap(Self.slot).first
    position = slot.flatMap { slot in program.code.lines.last { $0.instruction <= slot }?.position }
    let source = position.flatMap { sources.indices.contains($0.file) ? sources[$0.file] : nil }
    sourceName = source?.name
    sourceLine = position.flatMap { source?.line($0.line) }
  }

  /// kernel/bpf/verifier.c, kernel/bpf/core.c.
  private static let complaintsOfSize = [
    "BPF program is too large", "due to 16-bit range", "jumps is too complex", "too many subprograms",
  ]

  private static func busiestPlace(
    _ lines: [String],
    _ program: ProgramSpec,
    _ sources: [SourceFile]
  ) -> String? {
    var counts: [SourcePosition: Int] = [:]
    let places = program.code.lines
    for slot in lines.lazy.compactMap(slot) {
      // The last place that begins at or before the instruction.
      let begun = places.countAtStart { $0.instruction <= slot }
      if begun > 0 { counts[places[begun - 1].position, default: 0] += 1 }
    }
    let busiest = counts.max { ($0.value, $1.key.line) < ($1.value, $0.key.line) }?.key
    guard let busiest, sources.indices.contains(busiest.file) else { return nil }
    return "\(sources[busiest.file].name):\(busiest.line):\(busiest.column)"
  }

  /// Instructions are logged as `12: (85) call …`.
  private static func slot(_ line: String) -> Int? {
    let parts = line.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[1].hasPrefix(" (") else { return nil }
    return Int(parts[0])
  }
}
