import ArgumentParser
import Diagnostics
import TraceIR

extension TranslationOptions {
  /// The limits that `-D` and `-s` set.
  /// - Throws: `ValidationError` for a malformed definition or a value out of range.
  func limits() throws -> Limits {
    var limits = Limits()
    for definition in definitions { try apply(definition, to: &limits) }
    if suppressesErrors {
      (limits.maxErrors, limits.maxSkipped, limits.ignoresErrors) = (.max, .max, true)
    }
    if let bufferMegabytes { limits.ringByteCount = powerOfTwo(atLeast: bufferMegabytes << 20) }
    return limits
  }

  private func apply(_ definition: String, to limits: inout Limits) throws {
    let parts = definition.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard !name.isEmpty else { throw ValidationError("-D takes NAME=VALUE, not '\(definition)'") }
    if ignoredDefinitions.contains(name) { return }
    guard let row = limitTable.first(where: { $0.name == name }) else { throw unknown(name) }
    guard parts.count == 2, let value = Int(parts[1]), row.range.contains(value) else {
      let found = parts.count == 2 ? ", not '\(parts[1])'" : ""
      throw ValidationError(
        "-D\(row.name) takes a number from \(row.range.lowerBound) to \(row.range.upperBound)\(found)"
      )
    }
    limits[keyPath: row.field] = value
  }

  private func unknown(_ name: String) -> ValidationError {
    let near = nearestNames(to: name, among: limitTable.map(\.name))
    let hint =
      near.isEmpty
      ? "; there are \(limitTable.map(\.name).joined(separator: ", "))"
      : "; did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    return ValidationError("no limit '\(name)'\(hint)")
  }

  private func powerOfTwo(atLeast count: Int) -> Int {
    var size = 4096
    while size < count { size *= 2 }
    return size
  }
}

/// A limit that `-D` sets.
private struct LimitRow: Sendable {
  let name: String
  let field: any WritableKeyPath<Limits, Int> & Sendable
  let range: ClosedRange<Int>

  init(_ name: String, _ field: any WritableKeyPath<Limits, Int> & Sendable, _ range: ClosedRange<Int>) {
    self.name = name
    self.field = field
    self.range = range
  }
}

/// Limits of stap(1), "-D": name, where it goes, what it may be.
private let limitTable = [
  LimitRow("MAXACTION", \.maxAction, 1...1_000_000_000),
  LimitRow("MAXACTION_INTERRUPTIBLE", \.maxAction, 1...1_000_000_000),
  LimitRow("MAXBACKTRACE", \.maxBacktrace, 1...4096),
  LimitRow("MAXERRORS", \.maxErrors, 0...1_000_000_000),
  LimitRow("MAXMAPENTRIES", \.maxMapEntries, 1...16_777_216),
  LimitRow("MAXNESTING", \.maxNesting, 1...1000),
  LimitRow("MAXSKIPPED", \.maxSkipped, 0...1_000_000_000),
  LimitRow("MAXSTRINGLEN", \.maxStringLength, 16...65536),
  LimitRow("MAXTRYLOCK", \.maxTryLock, 1...10_000_000),
  LimitRow("MAXUPROBES", \.maxUprobes, 1...1_000_000_000),
  LimitRow("STP_MAXMEMORY", \.maxMemory, 1...1_000_000_000),
  LimitRow("STP_PROCFS_BUFSIZE", \.fileByteCount, 1...(1 << 30)),
  LimitRow("TRYLOCKDELAY", \.tryLockDelay, 1...1_000_000),
  LimitRow("UTRACE_RING_BYTES", \.ringByteCount, 4096...(1 << 30)),
  LimitRow("UTRACE_STACK_BYTES", \.stackByteCount, 4096...65536),
]

/// What SystemTap's runtime needs and ours has no use for: accepted, so that command lines move over; docs/supported.md
/// says why for each.
private let ignoredDefinitions: Set<String> = [
  "INTERRUPTIBLE", "KRETACTIVE", "MAPHASHBIAS", "MINSTACKSPACE", "STP_NO_BUILDID_CHECK", "STP_NO_OVERLOAD",
  "STP_OVERLOAD_INTERVAL", "STP_OVERLOAD_THRESHOLD", "TASK_FINDER_VMA_ENTRY_ITEMS",
]
