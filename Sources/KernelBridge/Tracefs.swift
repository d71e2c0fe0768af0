import Glibc
import Platform

/// A mounted tracefs.
package struct Tracefs: Hashable, Sendable {
  package let path: String

  /// Takes `path` for one.
  package init(path: String) { self.path = path }

  /// The first one in /proc/self/mounts; nil when none is mounted, which is the user's decision.
  package static func mounted() -> Tracefs? {
    guard let mounts = try? readSmallText("/proc/self/mounts") else { return nil }
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 2, fields[2] == "tracefs" { return Tracefs(path: unescape(fields[1])) }
    }
    return nil
  }

  /// The number that perf_event_open(2) takes for an event.
  func eventID(_ group: String, _ name: String) throws(KernelError) -> UInt64 {
    let file = "\(path)/events/\(group)/\(name)/id"
    do throws(SystemError) {
      let text = try readSmallText(file)
      guard let id = UInt64(text.prefix { $0.isNumber }) else {
        throw SystemError("read", on: file, code: EIO)
      }
      return id
    } catch {
      throw .system(error, advice: error.code == ENOENT ? "this kernel has no event \(group):\(name)" : nil)
    }
  }

  /// Appends lines to a control file; one write(2) holds at most a page of whole lines.
  func append(_ lines: [String], to file: String) throws(KernelError) {
    let subject = "\(path)/\(file)"
    do throws(SystemError) {
      let control = try OwnedFD(writing: subject, appending: true)
      var pending: [UInt8] = []
      for line in lines {
        if pending.count + line.utf8.count + 1 > 3600 {
          try control.write(pending, subject: subject)
          pending.removeAll()
        }
        pending += Array(line.utf8) + [UInt8(ascii: "\n")]
      }
      try control.write(pending, subject: subject)
    } catch {
      throw .failed(error.call, on: error.subject, code: error.code)
    }
  }

  /// Blanks in mount points are written as octal (proc_pid_mounts(5)).
  private static func unescape(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
        bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 48) })
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
