package import TargetModel

/// One symbol, with its name looked up.
package struct ELFSymbol: Hashable, Sendable {
  /// STT_ (gABI, “Symbol Types”; STT_GNU_IFUNC from the GNU gABI supplement).
  package enum Kind: Hashable, Sendable {
    case none, object, function, section, file, common, threadLocal
    /// Its value is a resolver that returns the function's address.
    case indirectFunction
    case other(UInt8)

    init(raw: UInt8) {
      self =
        switch raw {
        case 0: .none
        case 1: .object
        case 2: .function
        case 3: .section
        case 4: .file
        case 5: .common
        case 6: .threadLocal
        case 10: .indirectFunction
        default: .other(raw)
        }
    }

    /// The number in `st_info`.
    var raw: UInt8 {
      switch self {
      case .none: 0
      case .object: 1
      case .function: 2
      case .section: 3
      case .file: 4
      case .common: 5
      case .threadLocal: 6
      case .indirectFunction: 10
      case .other(let raw): raw
      }
    }
  }

  /// STB_ (gABI, “Symbol Binding”).
  package enum Binding: Hashable, Sendable {
    case local, global, weak
    /// STB_GNU_UNIQUE.
    case unique
    case other(UInt8)

    init(raw: UInt8) {
      self =
        switch raw {
        case 0: .local
        case 1: .global
        case 2: .weak
        case 10: .unique
        default: .other(raw)
        }
    }

    /// The number in `st_info`.
    var raw: UInt8 {
      switch self {
      case .local: 0
      case .global: 1
      case .weak: 2
      case .unique: 10
      case .other(let raw): raw
      }
    }
  }

  /// Which table it is from.
  package enum Source: Hashable, Sendable {
    case symtab, dynsym
    /// ``GoFunctionTable``
    case goFunctions
  }

  /// Without a version: `memcpy`.
  package var name: String
  /// `GLIBC_2.14`, from `name@VERSION` or `.gnu.version`.
  package var version: String?
  /// Whether a plain reference binds to this version (`@@`); true without versions.
  package var isDefaultVersion: Bool
  package var address: LinkAddress
  package var byteCount: UInt64
  package var kind: Kind
  package var binding: Binding
  /// STV_: 0 default, 1 internal, 2 hidden, 3 protected.
  package var visibility: UInt8
  /// `st_shndx`, extended indices resolved; see ``ELFConstant/indexUndefined`` and its kin.
  package var sectionIndex: UInt32
  package var source: Source
  /// Its place in the tables of its ``ELFSymbolTable``.
  package var index: Int

  /// Whether this file defines it.
  package var isDefined: Bool { sectionIndex != ELFConstant.indexUndefined }
  /// Whether code starts there: a function or the resolver of one.
  package var isFunction: Bool { kind == .function || kind == .indirectFunction }
  /// Whether other files can bind to it: what SystemTap's `.exported` asks.
  package var isExported: Bool { source == .dynsym && isDefined && binding != .local }
}
