/// What `/proc/meminfo` says of the machine's memory.
package enum MemoryInfo {
  /// Bytes that programs can have without swapping, what caches give back included (`MemAvailable`); nil when it is not to
  /// be had.
  package static var availableByteCount: Int? {
    guard let text = try? readSmallText("/proc/meminfo") else { return nil }
    return availableByteCount(in: text)
  }

  static func availableByteCount(in text: String) -> Int? {
    let name = "MemAvailable:"
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let number = line.dropFirst(name.count).split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: 1024)
    return isTooLarge ? nil : bytes
  }
}
