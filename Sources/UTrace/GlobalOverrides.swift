import ArgumentParser
import Diagnostics
import Elaboration
import StapSyntax

extension ElaboratedProgram {
  /// Gives each scalar global that `-G NAME=VALUE` names that value instead of its own, read as what the script uses it
  /// for.
  ///
  /// `script` tells of globals that nothing reaches.
  /// - Throws: `ValidationError` when there is no such scalar, or its value must be a number and is none.
  mutating func override(_ settings: [String], of script: Script) throws {
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("-G takes NAME=VALUE, not '\(setting)'")
      }
      try set(String(parts[0]), String(parts[1]), script)
    }
  }

  private mutating func set(_ name: String, _ text: String, _ script: Script) throws {
    guard let index = globals.firstIndex(where: { $0.name == name }) else {
      // What nothing reaches may have any value.
      if script.globalNames.contains(name) { return }
      throw unknown(name, script.globalNames + globals.map(\.name))
    }
    let global = globals[index]
    guard global.keyTypes.isEmpty, global.valueType != .statistic else {
      let kind = global.keyTypes.isEmpty ? "a statistic" : "an array"
      throw ValidationError("-G \(name): '\(name)' is \(kind), and only a scalar can be set")
    }
    if global.valueType == .string {
      globals[index].initialValue = .string(text)
    } else if let number = number(text) {
      globals[index].initialValue = .number(number)
    } else {
      throw ValidationError("-G \(name): the script's '\(name)' is a number, '\(text)' is none")
    }
  }

  private func number(_ text: String) -> Int64? {
    if text.hasPrefix("-") { return Number.value(of: String(text.dropFirst())).map { 0 &- $0 } }
    return Number.value(of: text)
  }

  private func unknown(_ name: String, _ names: [String]) -> ValidationError {
    let near = nearestNames(to: name, among: names)
    let hint = near.isEmpty ? "" : "; did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?"
    return ValidationError("-G \(name): the script has no global '\(name)'\(hint)")
  }
}

extension Script {
  fileprivate var globalNames: [String] {
    declarations.compactMap { if case .global(let global) = $0 { global.name.text } else { nil } }
  }
}
