/// Memory of the traced program that random scripts read.
///
/// `steps` has a table of numbers and one of texts. The interpreter has no such program: there the same functions know
/// what is in them.
enum TracedMemory {
  /// Their names, as calls of them begin.
  static let functions = ["peek(", "peek_int(", "spelled(", "spelled_n("]

  /// The contents, as TestPrograms/manyfuncs-generate has them; the last text is at address 16, where nothing is.
  private static let numbers = [
    "0", "-1", "42", "0x7fffffffffffffff", "-0x7fffffffffffffff", "0x123456789abcdef0", "255", "-4096",
  ]
  private static let texts = [
    "", "a", "hello world", "x=1;y=2", #"\t\303\251\001\"q\""#,
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "-12z",
  ]
  private static let fault = "user string copy fault -14 at 0x10"

  /// Functions that read it.
  static func read(from program: String) -> String {
    """
    global numbers_at, texts_at
    probe process("\(program)").function("main").call { numbers_at = @var("numbers"); texts_at = @var("texts") }
    probe end { if (numbers_at == 1 || texts_at == 1) println("never, but read") }
    function peek:long(n:long) { return user_long(numbers_at + (n & 7) * 8) }
    function peek_int:long(n:long) { return user_int(numbers_at + (n & 15) * 4) }
    function spelled:string(n:long) {
      try { return user_string(user_long(texts_at + (n & 7) * 8)) } catch (m) { return m }
    }
    function spelled_n:string(n:long, count:long) {
      try { return user_string_n(user_long(texts_at + (n & 7) * 8), (count & 31) + 1) } catch (m) { return m }
    }

    """
  }

  /// The same functions without the program.
  static var known: String {
    let number = numbers.enumerated().map { "if (n == \($0)) return \($1)" }.joined(separator: "; ")
    let text = texts.enumerated().map { "if (n == \($0)) return \"\($1)\"" }.joined(separator: "; ")
    return """
      function peek:long(n:long) { n = n & 7; \(number) }
      function peek_int:long(n:long) { return ((peek(n >> 1) >> ((n & 1) * 32)) << 32) >> 32 }
      function spelled:string(n:long) { n = n & 7; \(text); return "\(fault)" }
      function spelled_n:string(n:long, count:long) {
        return (n & 7) == 7 ? spelled(n) : substr(spelled(n), 0, (count & 31) + 1)
      }

      """
  }
}

extension ScriptGenerator {
  mutating func memoryNumber() -> Fragment {
    rarely(2) ? "peek(\(long()))" : "peek_int(\(long()))"
  }

  mutating func memoryText() -> Fragment {
    rarely(2) ? "spelled(\(long()))" : "spelled_n(\(long()), \(long()))"
  }
}
