import ELF
import Platform
import TargetModel

/// The beginning of the `.utrace` section: who wrote the file, and checks of all its bytes.
///
/// Layout: `\u{7f}UTRACE1`, CRC-32 of what precedes it in the file and of what follows the two, then, each with a 32-bit
/// count before it, version, build and facts, and the rest to the end of the section.
struct ModuleSeal: Hashable {
  /// Release of the writer.
  var version: String
  /// Tells apart builds of one release, whose values may be coded differently.
  var build: String

  /// This utrace.
  static var current: ModuleSeal { ModuleSeal(version: Release.version, build: ownBuild) }

  private static let mark: [UInt8] = [0x7f] + Array("UTRACE1".utf8)
  private static let checksByteCount = 8

  /// The executable's build ID; without one its size.
  private static var ownBuild: String {
    let path = "/proc/self/exe"
    guard let file = try? ELFFile(path: path) else { return "" }
    return file.buildID?.description ?? "\(file.image.count) bytes"
  }

  /// A section whose checks are still open.
  func encoded(facts: [UInt8], body: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reserving: facts.count + body.count + 128)
    writer.write(Self.mark)
    writer.write(UInt64(0))
    for part in [Array(version.utf8), Array(build.utf8), facts] {
      writer.write(UInt32(part.count))
      writer.write(part)
    }
    writer.write(body)
    return writer.bytes
  }

  /// `object` with its checks filled in.
  static func sealing(_ object: [UInt8]) throws(ModuleError) -> [UInt8] {
    let shared = SharedBytes(object)
    let place = try checksPlace(shared, path: "the new module").offset
    let checks = checks(of: shared, around: place)
    var sealed = object
    for (index, shift) in stride(from: UInt64(0), to: 64, by: 8).enumerated() {
      sealed[place + index] = UInt8(truncatingIfNeeded: checks >> shift)
    }
    return sealed
  }

  /// Facts and body of a whole file of that writer; nil: of any.
  static func open(
    _ object: SharedBytes,
    path: String,
    writtenBy writer: ModuleSeal?
  ) throws(ModuleError) -> (facts: [UInt8], body: [UInt8]) {
    let (place, section) = try checksPlace(object, path: path)
    guard let parts = Parts(section) else { throw .damaged(path, "it is cut") }
    guard writer == nil || writer == parts.writer else { throw .otherWriter(path, parts.writer) }
    guard parts.checks == checks(of: object, around: place) else {
      throw .damaged(path, "its checksum is wrong")
    }
    return (parts.facts, parts.body)
  }

  /// What a section holds.
  private struct Parts {
    let checks: UInt64
    let writer: ModuleSeal
    let facts: [UInt8]
    let body: [UInt8]

    /// Nil when it ends early.
    init?(_ section: SharedBytes) {
      var reader = ByteReader(section.span)
      do throws(ByteError) {
        try reader.skip(mark.count)
        checks = try reader.read(UInt64.self)
        let version = try Self.part(&reader)
        let build = try Self.part(&reader)
        writer = ModuleSeal(
          version: String(decoding: version, as: UTF8.self),
          build: String(decoding: build, as: UTF8.self)
        )
        facts = try Self.part(&reader)
        body = try reader.readBytes(reader.remaining).copied()
      } catch { return nil }
    }

    private static func part(_ reader: inout ByteReader) throws(ByteError) -> [UInt8] {
      let count = try Int(reader.read(UInt32.self))
      return try reader.readBytes(count).copied()
    }
  }

  /// Where the checks are in the file, and the section that they are in.
  private static func checksPlace(
    _ object: SharedBytes,
    path: String
  ) throws(ModuleError) -> (offset: Int, section: SharedBytes) {
    let found: (place: ELFSection, content: SharedBytes)?
    do throws(ELFError) {
      let file = try ELFFile(object, path: path)
      found = try file.section(named: ".utrace").map { section throws(ELFError) in
        (section, try file.storedContents(of: section))
      }
    } catch { throw .noModule(path, "\(error)") }
    guard let found, found.content.count >= mark.count + checksByteCount,
      mark.indices.allSatisfy({ found.content.span.byte(at: $0) == mark[$0] })
    else { throw .noModule(path, nil) }
    return (Int(found.place.fileOffset) + mark.count, found.content)
  }

  private static func checks(of object: SharedBytes, around place: Int) -> UInt64 {
    let span = object.span
    let before = Zlib.crc32(of: span.extracting(..<place))
    let after = Zlib.crc32(of: span.extracting((place + checksByteCount)...))
    return UInt64(before) | UInt64(after) << 32
  }
}
