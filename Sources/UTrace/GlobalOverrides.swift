import ArgumentParser
import StapSyntax

extension Script {
  /// Gives each global that `-G NAME=VALUE` names that value instead of its own: a number if it looks like one.
  /// - Throws: `ValidationError` when there is no such scalar.
  mutating func override(_ settings: [String]) throws {
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw ValidationError("-G takes NAME=VALUE, not '\(setting)'") }
      try set(String(parts[0]), String(parts[1]))
    }
  }

  private mutating func set(_ name: String, _ text: String) throws {
    for (index, declaration) in declarations.enumerated() {
      guard case .global(var global) = declaration, global.name.text == name else { continue }
      let value: Literal.Value =
        if let number = Int64(text) {
          .number(number)
        } else if case .number? = global.initialValue?.value {
          throw ValidationError("-G \(name): the script's '\(name)' is a number, '\(text)' is none")
        } else {
          .string(text)
        }
      global.initialValue = Literal(value, global.range)
      declarations[index] = .global(global)
      return
    }
    throw ValidationError("-G \(name): the script has no global '\(name)'")
  }
}
