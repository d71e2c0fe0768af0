import Platform

/// A file of a library: what it holds, and what it declares.
struct ScannedFile: Sendable {
  enum Content: Sendable {
    case unreadable(SystemError)
    case macros([UInt8])
    case script([UInt8], DeclarationScanner.Declarations)
  }

  let path: String
  let content: Content

  /// Whether a library reads files of that name.
  static func isWanted(_ name: String) -> Bool { name.hasSuffix(".stp") || name.hasSuffix(".stpm") }

  /// Reads the file.
  init(_ path: String) {
    self.path = path
    do throws(SystemError) {
      let text = try readSmallFile(path)
      content = path.hasSuffix(".stpm") ? .macros(text) : .script(text, DeclarationScanner.scan(text))
    } catch {
      content = .unreadable(error)
    }
  }
}
