/// One line of `/proc/PID/maps` (proc(5)).
package struct MappedRegion: Hashable, Sendable {
  /// How the process may use it.
  package struct Permissions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let read = Permissions(rawValue: 1)
    package static let write = Permissions(rawValue: 2)
    package static let execute = Permissions(rawValue: 4)
    package static let shared = Permissions(rawValue: 8)
  }

  package var start: UInt64
  package var end: UInt64
  package var permissions: Permissions
  package var fileOffset: UInt64
  package var deviceMajor: UInt32
  package var deviceMinor: UInt32
  package var inode: UInt64
  /// Empty for anonymous memory; `[heap]`, `[stack]`, `[vdso]`… for the kernel's own; escapes are undone.
  package var path: String
  /// Whether the file was unlinked since; the mark is not part of `path`.
  package var isDeleted: Bool

  package init(
    start: UInt64,
    end: UInt64,
    permissions: Permissions,
    fileOffset: UInt64,
    deviceMajor: UInt32,
    deviceMinor: UInt32,
    inode: UInt64,
    path: String,
    isDeleted: Bool
  ) {
    self.start = start
    self.end = end
    self.permissions = permissions
    self.fileOffset = fileOffset
    self.deviceMajor = deviceMajor
    self.deviceMinor = deviceMinor
    self.inode = inode
    self.path = path
    self.isDeleted = isDeleted
  }

  /// Whether a file is behind it.
  package var isFile: Bool { inode != 0 && path.hasPrefix("/") }
}

/// What is mapped where in a process, by ascending address.
package struct ProcessMaps: Sendable {
  package let regions: [MappedRegion]

  /// Reads the text of `/proc/PID/maps`; lines that do not parse are left out.
  package init(text: [UInt8]) {
    regions = text.split(separator: UInt8(ascii: "\n")).compactMap { parseRegion($0) }
  }

  /// The region that contains `address`.
  package func region(containing address: UInt64) -> MappedRegion? {
    let low = regions.countAtStart { $0.end <= address }
    guard low < regions.count, regions[low].start <= address else { return nil }
    return regions[low]
  }

  /// The files mapped executable, each path once, in address order.
  package var executableFiles: [String] {
    var seen: Set<String> = []
    return regions.filter { $0.isFile && $0.permissions.contains(.execute) }.map(\.path)
      .filter { seen.insert($0).inserted }
  }
}

/// Reads `start-end rwxp offset major:minor inode      path`.
private func parseRegion(_ line: ArraySlice<UInt8>) -> MappedRegion? {
  let space = UInt8(ascii: " ")
  let fields = line.split(separator: space, maxSplits: 5, omittingEmptySubsequences: true)
  guard fields.count >= 5, fields[1].count == 4 else { return nil }
  let range = fields[0].split(separator: UInt8(ascii: "-"))
  let device = fields[3].split(separator: UInt8(ascii: ":"))
  guard range.count == 2, device.count == 2,
    let start = hexadecimal(range[0]), let end = hexadecimal(range[1]), start <= end,
    let offset = hexadecimal(fields[2]),
    let major = hexadecimal(device[0]).flatMap(UInt32.init(exactly:)),
    let minor = hexadecimal(device[1]).flatMap(UInt32.init(exactly:)),
    let inode = UInt64(String(decoding: fields[4], as: UTF8.self))
  else { return nil }
  var path = fields.count == 6 ? unescaped(fields[5].drop { $0 == space }) : ""
  let isDeleted = inode != 0 && path.hasSuffix(deletedMark)
  if isDeleted { path.removeLast(deletedMark.count) }
  return MappedRegion(
    start: start,
    end: end,
    permissions: permissions(fields[1]),
    fileOffset: offset,
    deviceMajor: major,
    deviceMinor: minor,
    inode: inode,
    path: path,
    isDeleted: isDeleted
  )
}

private func permissions(_ field: ArraySlice<UInt8>) -> MappedRegion.Permissions {
  var result: MappedRegion.Permissions = []
  for letter in field {
    switch letter {
    case UInt8(ascii: "r"): result.insert(.read)
    case UInt8(ascii: "w"): result.insert(.write)
    case UInt8(ascii: "x"): result.insert(.execute)
    case UInt8(ascii: "s"): result.insert(.shared)
    default: break
    }
  }
  return result
}

/// The kernel writes a line feed in a path as `\012`, and nothing else so (fs/proc/task_mmu.c).
private func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
  let escape = Array("\\012".utf8)
  guard bytes.contains(UInt8(ascii: "\\")) else { return String(decoding: bytes, as: UTF8.self) }
  var result: [UInt8] = []
  var rest = bytes
  while let first = rest.first {
    if rest.starts(with: escape) {
      result.append(UInt8(ascii: "\n"))
      rest = rest.dropFirst(escape.count)
    } else {
      result.append(first)
      rest = rest.dropFirst()
    }
  }
  return String(decoding: result, as: UTF8.self)
}

private func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
  guard !digits.isEmpty, digits.count <= 16 else { return nil }
  var value: UInt64 = 0
  for digit in digits {
    switch digit {
    case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
    case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
    default: return nil
    }
  }
  return value
}
