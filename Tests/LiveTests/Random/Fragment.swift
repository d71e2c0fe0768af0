/// A piece of a script that knows what it is made of, so that a failing script can be made smaller.
struct Fragment: Sendable, ExpressibleByStringInterpolation {
  /// What may stand in its place.
  enum Role: Sendable {
    /// Only itself.
    case plain
    /// Any other number.
    case long
    /// Any other string.
    case string
    /// Nothing, or a statement that is in it.
    case statement
  }

  enum Part: Sendable {
    case text(String)
    case fragment(Fragment)
    /// The n-th probe point.
    case point(Int)
  }

  var role = Role.plain
  var parts: [Part]

  init(parts: [Part]) { self.parts = parts }

  /// One behind the other.
  init(_ fragments: [Fragment]) { parts = fragments.map { .fragment($0) } }

  init(stringLiteral text: String) { parts = [.text(text)] }

  init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var parts: [Part] = []

    init(literalCapacity: Int, interpolationCount: Int) {}

    mutating func appendLiteral(_ literal: String) { parts.append(.text(literal)) }
    mutating func appendInterpolation(_ text: String) { parts.append(.text(text)) }
    mutating func appendInterpolation(_ number: Int) { parts.append(.text("\(number)")) }
    mutating func appendInterpolation(_ fragment: Fragment) { parts.append(.fragment(fragment)) }
    mutating func appendInterpolation(point: Int) { parts.append(.point(point)) }
  }

  /// The same with that role.
  func playing(_ role: Role) -> Fragment {
    var result = self
    result.role = role
    return result
  }

  /// The script's text: every text as `rename` has it, the n-th probe point as `point` has it.
  func text(point: (Int) -> String = { "\($0)" }, rename: (String) -> String = { $0 }) -> String {
    parts.map { part in
      switch part {
      case .text(let text): rename(text)
      case .fragment(let fragment): fragment.text(point: point, rename: rename)
      case .point(let number): point(number)
      }
    }.joined()
  }
}

// MARK: - What is in it

extension Fragment {
  /// Ways to all fragments in it that something else may stand for, outer ones first.
  var places: [[Int]] {
    var result: [[Int]] = role == .plain ? [] : [[]]
    for (index, part) in parts.enumerated() {
      guard case .fragment(let fragment) = part else { continue }
      result += fragment.places.map { [index] + $0 }
    }
    return result
  }

  /// What is at the end of that way.
  subscript(place: ArraySlice<Int>) -> Fragment? {
    get {
      guard let index = place.first else { return self }
      guard parts.indices.contains(index), case .fragment(let fragment) = parts[index] else { return nil }
      return fragment[place.dropFirst()]
    }
    set {
      guard let newValue else { return }
      guard let index = place.first else {
        self = newValue
        return
      }
      guard parts.indices.contains(index), case .fragment(var fragment) = parts[index] else { return }
      fragment[place.dropFirst()] = newValue
      parts[index] = .fragment(fragment)
    }
  }

  /// What may stand in its place, the smallest first.
  var replacements: [Fragment] {
    switch role {
    case .plain: []
    case .statement: [Fragment(parts: [])] + nearest(.statement).filter { !$0.parts.isEmpty }
    case .long: isLeaf ? [] : ["0", "1"] + nearest(.long)
    case .string: isLeaf ? [] : ["\"\"", "\"a\""] + nearest(.string)
    }
  }

  private var isLeaf: Bool { ["0", "1", "\"\"", "\"a\""].contains(text()) }

  /// Fragments of that role in it, less those that are inside others.
  private func nearest(_ role: Role) -> [Fragment] {
    parts.flatMap { part -> [Fragment] in
      guard case .fragment(let fragment) = part else { return [] }
      return fragment.role == role ? [fragment] : fragment.nearest(role)
    }
  }
}
