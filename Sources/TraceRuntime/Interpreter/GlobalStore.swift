package import TraceIR

/// A key or a value of an array.
package enum Datum: Hashable, Sendable {
  case long(Int64)
  case string(ByteString)

  /// The long; 0 for a string.
  package var long: Int64 { if case .long(let value) = self { value } else { 0 } }

  /// The string; empty for a long.
  package var string: ByteString { if case .string(let value) = self { value } else { ByteString() } }
}

extension Datum: Comparable {
  /// Longs signed, strings byte by byte.
  package static func < (left: Datum, right: Datum) -> Bool {
    switch (left, right) {
    case (.long(let left), .long(let right)): left < right
    case (.string(let left), .string(let right)): left < right
    case (.long, .string): true
    case (.string, .long): false
    }
  }
}

/// One element of an array.
package struct StoredElement: Sendable {
  /// What an element holds.
  package enum Value: Sendable {
    case datum(Datum)
    case statistic(Statistic)
  }

  package var keys: [Datum]
  package var value: Value

  package init(keys: [Datum], value: Value) {
    self.keys = keys
    self.value = value
  }
}

/// Why an array did not take an element.
package enum StoreError: Error {
  case full
}

/// Where the globals of the script are: in this process, or in maps shared with the kernel.
///
/// In patterns of keys nil matches anything; no keys at all mean the scalar, the plain statistic, or every
/// element.
package protocol GlobalStore: AnyObject {
  func long(_ global: GlobalID) -> Int64
  func string(_ global: GlobalID) -> ByteString
  func set(_ global: GlobalID, _ value: Int64)
  func set(_ global: GlobalID, _ value: ByteString)
  /// Adds; gives the value before.
  func add(_ global: GlobalID, _ value: Int64) -> Int64

  /// An element; nil when there is none.
  func element(_ global: GlobalID, _ keys: [Datum]) -> Datum?
  func setElement(_ global: GlobalID, _ keys: [Datum], _ value: Datum) throws(StoreError)
  /// Adds, inserting if need be; gives the value before.
  func addElement(_ global: GlobalID, _ keys: [Datum], _ value: Int64) throws(StoreError) -> Int64
  func contains(_ global: GlobalID, _ pattern: [Datum?]) -> Bool
  func delete(_ global: GlobalID, _ pattern: [Datum?])
  /// The elements as they are now.
  func elements(_ global: GlobalID, _ pattern: [Datum?]) -> [StoredElement]

  /// `<<<`.
  func aggregate(_ global: GlobalID, _ keys: [Datum], _ value: Int64) throws(StoreError)
  /// The statistic of all that match, merged.
  func statistic(_ global: GlobalID, _ pattern: [Datum?]) -> Statistic
}

extension [Datum] {
  /// Whether these keys fit a pattern.
  package func matches(_ pattern: [Datum?]) -> Bool {
    for index in pattern.indices where index < count {
      if let wanted = pattern[index], wanted != self[index] { return false }
    }
    return true
  }
}

extension [Datum?] {
  /// The keys, when none of them is open.
  package var exactKeys: [Datum]? {
    if isEmpty { return nil }
    let keys = compactMap { $0 }
    return keys.count == count ? keys : nil
  }
}
