import DwarfIndex

/// A call chain as text, a line a function.
///
/// Source of the forms: SystemTap's manual pages `function::print_ubacktrace`, `…_brief`, `…_fileline`,
/// `function::sprint_ubacktrace`, `function::usymdata`.
struct ChainText {
  private let style: StackStyle
  private let symbolizer: Symbolizer

  init(_ style: StackStyle, _ symbolizer: Symbolizer) {
    self.style = style
    self.symbolizer = symbolizer
  }

  func text(_ frames: [Frame]) -> String {
    if style == .addresses { return frames.map { hexadecimal($0.address) }.joined(separator: " ") }
    return frames.map { lines($0) }.joined()
  }

  /// The lines of the functions inlined at a frame, then its own.
  private func lines(_ frame: Frame) -> String {
    let place = symbolizer.place(frame)
    let address = hexadecimal(frame.address)
    switch style {
    case .brief:
      return (place.symbol.map { "\($0.name)+\(hexadecimal($0.offset))" } ?? address) + "\n"
    case .simple:
      if let symbol = place.symbol {
        return "\(symbol.name)+\(hexadecimal(symbol.offset))\(brackets(place))\n"
      }
      return address + (place.moduleName.map { " [\($0)+\(hexadecimal(place.moduleOffset))]" } ?? "") + "\n"
    case .full, .fileLine, .addresses:
      let sources = symbolizer.sources(place)
      let inlined = sources.prefix { $0.isInlined }
        .map { " \(address) : \($0.name) (inlined)\(at($0))\(brackets(place))\n" }
      return inlined.joined() + " \(address)\(own(place, sources.last { !$0.isInlined }))\n"
    }
  }

  private func own(_ place: Symbolizer.Place, _ source: SourceFrame?) -> String {
    if let symbol = place.symbol {
      let size = symbol.byteCount > 0 ? "/\(hexadecimal(symbol.byteCount))" : ""
      let position = "+\(hexadecimal(symbol.offset))\(size)"
      return " : \(symbol.name)\(position)\(source.map { at($0) } ?? "")\(brackets(place))"
    }
    return place.moduleName.map { " [\($0)+\(hexadecimal(place.moduleOffset))]" } ?? ""
  }

  private func at(_ source: SourceFrame) -> String {
    guard style == .fileLine, let file = source.file, let line = source.line else { return "" }
    return " at \(file):\(line)"
  }

  private func brackets(_ place: Symbolizer.Place) -> String { place.moduleName.map { " [\($0)]" } ?? "" }
}
