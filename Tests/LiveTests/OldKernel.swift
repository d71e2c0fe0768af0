import Foundation
import TestSupport

/// One boot of the old kernel, and what each utrace in it left.
struct OldKernel {
  private let outcomes: [String: Outcome]

  /// Boots and runs all `commands`, arguments of utrace by name; `files` are in its directory `/t/files`.
  init(
    _ commands: [(name: String, arguments: [String])],
    files: [(name: String, text: String)] = [],
    seconds: Int = 150
  ) throws {
    let scratch = try ScratchDirectory()
    for file in files { _ = try scratch.write(file.text, to: file.name) }
    try self.init(commands, directory: scratch.path, seconds: seconds)
  }

  /// The same, with what is in `directory` here in `/t/files` there.
  ///
  /// Programs are also where they are here: modules that are built here know them so.
  init(_ commands: [(name: String, arguments: [String])], directory: String, seconds: Int) throws {
    let scratch = try ScratchDirectory()
    let tool = "\(scratch.path)/utrace"
    _ = try run("strip", ["-o", tool, Self.quickest])
    let script = try scratch.write(Self.script(commands.map(\.arguments), seconds / 2), to: "run")
    var arguments = ["--timeout", "\(seconds)", "--add", tool]
    arguments += ["--add", "\(Package.tapset):/t/Tapset", "--add", "\(directory):/t/files"]
    for program in ["threads", "marks", "targets-O2", "family", "steps", "watched"] {
      let path = Package.program(program)
      arguments += ["--add", path, "--add", "\(path):\(path)"]
    }
    let booted = try run("\(Package.root)/Scripts/qemu-run", arguments + [script])
    guard booted.status == 0 else { throw CommandFailure(command: "qemu-run", output: booted.output) }
    outcomes = Self.outcomes(booted.output, commands.map(\.name))
  }

  /// The one that is asked for, else a release build when it is at least as new: the emulated CPU takes 2 s for what the
  /// debug build's command line checks about itself.
  static var quickest: String {
    if let wanted = ProcessInfo.processInfo.environment["UTRACE"] { return wanted }
    let release = "\(Package.root)/.build/release/utrace"
    guard let made = date(release), let other = date(Package.utrace), made >= other else {
      return Package.utrace
    }
    return release
  }

  private static func date(_ path: String) -> Date? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return attributes?[.modificationDate] as? Date
  }

  /// What the command of that name left.
  func outcome(_ name: String) throws -> Outcome {
    guard let outcome = outcomes[name] else { throw CommandFailure(command: name, output: "no outcome") }
    return outcome
  }

  /// Two at a time; `/dev/fd/3` is a file whose content counts as the output when it is used.
  private static func script(_ commands: [[String]], _ seconds: Int) -> String {
    var text = "export UTRACE_TAPSET=/t/Tapset\nmkdir /tmp/r\n"
    text += "one() { n=$1; shift; timeout \(seconds) utrace \"$@\" >/tmp/r/$n.out 2>/tmp/r/$n.err"
    text += " 3>/tmp/r/$n.file; "
    text += "echo $? >/tmp/r/$n.status; }\n"
    for parity in 0...1 {
      text += "( :\n"  // one command leaves the other half nothing to do
      for (number, arguments) in commands.enumerated() where number % 2 == parity {
        let quoted = arguments.map { "'" + $0.replacingOccurrences(of: "'", with: "'\\''") + "'" }
        text += "one \(number) \(quoted.joined(separator: " "))\n"
      }
      text += ") &\n"
    }
    text += "wait\ncd /tmp/r\nfor n in $(seq 0 \(commands.count - 1)); do\n"
    text += "[ -s $n.file ] && mv $n.file $n.out\n"
    text += "for k in out err status; do echo \"@@ $n $k $(base64 $n.$k | tr -d '\\n')\"; done; done\n"
    return text
  }

  private static func outcomes(_ text: String, _ names: [String]) -> [String: Outcome] {
    var parts: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) where line.hasPrefix("@@ ") {
      let fields = line.split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count == 4, let bytes = Data(base64Encoded: String(fields[3])) else { continue }
      parts["\(fields[1]) \(fields[2])"] = String(decoding: bytes, as: UTF8.self)
    }
    var result: [String: Outcome] = [:]
    for (number, name) in names.enumerated() {
      guard let status = parts["\(number) status"].flatMap({ Int32($0.dropLast()) }) else { continue }
      let (output, errors) = (parts["\(number) out"] ?? "", parts["\(number) err"] ?? "")
      result[name] = Outcome(status: status, output: output, errors: errors)
    }
    return result
  }
}
