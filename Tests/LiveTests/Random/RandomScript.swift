/// A script whose probes can be put anywhere.
struct RandomScript {
  var text: Fragment
  /// How many probe points it has.
  let probes: Int

  /// The script with its probes at these points, and `suffix` behind its names.
  func text(at points: [String], suffix: String = "") -> String {
    text.text {
      points[$0]
    } rename: {
      Self.rename($0, suffix)
    }
  }

  /// By hand: a regular expression takes longer than utrace does.
  private static func rename(_ text: String, _ suffix: String) -> String {
    if suffix.isEmpty { return text }
    var result = ""
    var word: Substring = ""
    for character in text + " " {
      if character.isASCII, character.isLetter || character.isNumber || character == "_" {
        word.append(character)
        continue
      }
      result += names.contains(word) ? word + suffix : word
      result.append(character)
      word = ""
    }
    return String(result.dropLast())
  }

  private static let names = Set(ScriptGenerator.names.map { Substring($0) })
}

/// Random scripts that run in one session: starting one takes longer than running a script.
struct RandomBatch {
  static let size = 20
  /// Functions of `steps`, which it calls once each, in this order.
  static let functions = (0..<2 * size).map { "f\($0)" }

  /// The seed of each script.
  let seeds: [UInt64]
  var scripts: [RandomScript]
  /// `-D` options.
  let settings: [String]

  /// Limits near what scripts need, and far from it; errors end a probe, never the session.
  private static let limits = [
    [], ["MAXSTRINGLEN=64"], ["MAXACTION=40"], ["MAXNESTING=3"], [], ["MAXSTRINGLEN=2000"],
    ["MAXMAPENTRIES=6"], ["MAXACTION=100", "MAXSTRINGLEN=100"], ["MAXSTRINGLEN=16"], ["MAXSTRINGLEN=8000"],
  ]

  /// The batch of scripts from seed `number * size` on.
  init(number: UInt64) {
    seeds = (0..<UInt64(Self.size)).map { number * UInt64(Self.size) + $0 }
    scripts = seeds.map { seed in
      var generator = ScriptGenerator(seed: seed)
      return generator.script()
    }
    let chosen = Self.limits[Int(number % UInt64(Self.limits.count))]
    settings = (["MAXERRORS=1000000"] + chosen).flatMap { ["-D", $0] }
  }

  /// Some scripts of a batch.
  private init(_ batch: RandomBatch, _ chosen: Range<Int>) {
    seeds = Array(batch.seeds[chosen])
    scripts = Array(batch.scripts[chosen])
    settings = batch.settings
  }

  /// Batches of one script each.
  var alone: [RandomBatch] { scripts.indices.map { RandomBatch(self, $0..<$0 + 1) } }

  /// Two batches, which two processors can run.
  var halves: [RandomBatch] {
    let middle = scripts.count / 2
    return [RandomBatch(self, 0..<middle), RandomBatch(self, middle..<scripts.count)]
  }

  /// Where everything runs in the interpreter.
  var userText: String {
    var order = 0
    let text = text { _ in
      order += 1
      return "begin(\(order))"
    }
    return text + memory(TracedMemory.known, for: text) + "probe begin(\(order + 1)) { exit() }\n"
  }

  /// Where everything runs in the kernel.
  func kernelText(program: String) -> String {
    let text = text { "process(\"\(program)\").function(\"\(Self.functions[$0])\").call" }
    return text + memory(TracedMemory.read(from: program), for: text)
  }

  /// The functions that read memory, where something calls them; at the end, where they move no line of the script.
  private func memory(_ functions: String, for text: String) -> String {
    TracedMemory.functions.contains { text.contains($0) } ? functions : ""
  }

  private func text(at point: (Int) -> String) -> String {
    var first = 0
    return scripts.enumerated().map { number, script in
      defer { first += script.probes }
      let points = (first..<first + script.probes).map(point)
      return script.text(at: points, suffix: scripts.count == 1 ? "" : "_\(number)")
    }.joined()
  }
}

extension RandomBatch {
  /// A script that failed once, as ``keptText`` has it, and its number among those that run together.
  init(kept text: String, number: UInt64) {
    let first = text.prefix { $0 != "\n" }
    var script = Fragment(parts: [])
    var probes = 0
    for (number, piece) in text.split(separator: "POINT").enumerated() {
      if number > 0 {
        script.parts.append(.point(probes))
        probes += 1
      }
      script.parts.append(.text(String(number > 0 ? piece.dropFirst() : piece)))
    }
    seeds = [number]
    scripts = [RandomScript(text: script, probes: probes)]
    settings = first.split(separator: " ").dropFirst().map(String.init)
  }
}
