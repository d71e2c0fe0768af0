import DwarfIndex
import Platform
import TargetModel

/// What an address of one process is called.
struct Symbolizer {
  /// An address, as far as it is known.
  struct Place {
    /// Nil where nothing is mapped, or something that is no file.
    var module: MappedImage?
    var region: MappedRegion?
    var symbol: (name: String, offset: UInt64, byteCount: UInt64)?
    /// From the start of the file as it is mapped.
    var moduleOffset: UInt64 = 0
    var link: LinkAddress?

    /// What stands between the brackets.
    var moduleName: String? {
      guard let region, !region.path.isEmpty else { return nil }
      return region.path
    }
  }

  private let pid: Int32
  private let space: AddressSpace
  private let images: ImageCache

  init(_ pid: Int32, _ space: AddressSpace, _ images: ImageCache) {
    self.pid = pid
    self.space = space
    self.images = images
  }

  /// What is at the instruction of `frame`; offsets count to its address.
  func place(_ frame: Frame) -> Place {
    var place = Place()
    guard let region = space.region(containing: frame.codeAddress) else { return place }
    place.region = region
    let base = space.regions.first { $0.path == region.path && $0.inode == region.inode } ?? region
    place.moduleOffset = frame.address &- (base.start &- base.fileOffset)
    guard let module = images.image(of: region, pid: pid) else { return place }
    place.module = module
    guard let link = module.image.linkAddress(of: region.fileOffset(of: frame.codeAddress)) else {
      return place
    }
    place.link = link
    if let symbol = module.symbol(containing: link) {
      let distance = frame.address &- frame.codeAddress
      place.symbol = (symbol.name, link.raw &- symbol.start.raw &+ distance, symbol.byteCount)
    }
    return place
  }

  /// The functions inlined at `place`, innermost first and the one with code of its own last.
  func sources(_ place: Place) -> [SourceFrame] {
    guard let module = place.module, let link = place.link else { return [] }
    return module.sourceFrames(at: link)
  }

  /// What `detail` asks; the address in hexadecimal when nobody knows.
  func detail(_ detail: AddressDetail, of address: UInt64) -> String {
    let place = place(Frame(address: address, isReturnAddress: false))
    let unknown = "0x" + String(address, radix: 16)
    switch detail {
    case .name: return place.symbol?.name ?? unknown
    case .data: return data(place) ?? unknown
    case .file: return sources(place).first?.file ?? unknown
    case .line: return sources(place).first?.line.map { String($0) } ?? unknown
    case .fileLine:
      guard let source = sources(place).first, let file = source.file, let line = source.line else {
        return unknown
      }
      return "\(file):\(line)"
    case .module: return place.moduleName.map { Paths.name(of: $0) } ?? ""
    }
  }

  private func data(_ place: Place) -> String? {
    if let symbol = place.symbol {
      let module = place.moduleName.map { " [\($0)]" } ?? ""
      return "\(symbol.name)+\(hexadecimal(symbol.offset))/\(hexadecimal(symbol.byteCount))\(module)"
    }
    guard let name = place.moduleName, let region = place.region else { return nil }
    let size = region.end &- region.start &+ region.fileOffset
    return "[\(name)+\(hexadecimal(place.moduleOffset))/\(hexadecimal(size))]"
  }
}

/// `0x` and the digits.
func hexadecimal(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
