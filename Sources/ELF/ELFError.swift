package import Platform

/// Why a file could not be read as ELF.
package enum ELFError: Error, Equatable {
  /// The operating system refused the file.
  case system(SystemError)
  /// The file does not start with the ELF magic number.
  case notELF(path: String)
  /// A part does not fit the file or contradicts another part.
  case malformed(path: String, what: String)
  /// A legal file that nobody here can read: big endian, unknown compression.
  case unsupported(path: String, what: String)
}

extension ELFError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system(let error): error.description
    case .notELF(let path): "'\(path)' is not an ELF file"
    case .malformed(let path, let what): "malformed ELF file '\(path)': \(what)"
    case .unsupported(let path, let what): "unsupported ELF file '\(path)': \(what)"
    }
  }
}
