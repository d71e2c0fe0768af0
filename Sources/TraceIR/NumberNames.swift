/// Names of small numbers, for functions such as `errno_str`: the same table on the user side and in the kernel.
package struct NumberNames: Sendable {
  /// What the literals of a module call the table.
  package let table: String
  /// What stands before a number that has no name.
  package let unknownPrefix: String
  package let names: [Int64: String]

  /// The name, or the prefix and the number.
  package func text(of number: Int64) -> String { names[number] ?? "\(unknownPrefix)\(number)" }
}
