import Diagnostics
import StapSyntax

/// What is known about the probe or function that is being walked.
struct BodyState {
  /// What the body belongs to.
  enum Subject {
    case function
    case probe(ProbeContext)
    /// The condition after a probe point, where only globals may be read.
    case condition
  }

  /// The file whose private names are visible; changes between the pieces that aliases add.
  var source: SourceID
  var subject: Subject
  /// Target variables of the sites that reach this body; nil where there are none.
  var context: ProbeContext?
  /// What the probe's own body assigns to, for `@probewrite` in the prologues and epilogues of its aliases.
  var writtenNames: Set<String> = []
  var locals: [LocalSymbol] = []
  var names: [String: Int] = [:]
  /// The type that `return` gives; nil in probes.
  var result: TypeTerm?
  var returnsValue = false
  /// Of a function of the tapset: the script's call that leads here.
  var call: Name?
  var loopDepth = 0
  /// Globals that an enclosing `foreach` walks, with the place that says so.
  var iterated: [(global: Int, range: SourceRange)] = []
  /// The `foreach` around that have a variable for the element's value.
  var walkedValues: [WalkedValue] = []
  /// The variables of the `foreach` around.
  var loopVariables: [Name] = []
  /// Inside `@entry(…)`: target variables mean their values when the function was entered.
  var isInEntry = false
  /// Code was left out because of `@defined`; what is unused then is nobody's fault.
  var hasDeadCode = false

  init(source: SourceID, subject: Subject) {
    self.source = source
    self.subject = subject
  }
}

/// `v` of `foreach (v = [k] in a)`.
struct WalkedValue {
  let name: String
  let global: Int
  /// Nothing in the body changes them.
  let keys: [Name]
}

/// A variable of one probe or function.
struct LocalSymbol {
  let name: String
  let type: TypeTerm
  let isParameter: Bool
  var firstUse: SourceRange
  var isAssigned = false
  var isRead = false
  /// What a pointer that it holds points to, for `p->member` on script values.
  var pointee: TargetType?
}

/// An expression on its way: its kind is complete only in the final walk.
struct Draft {
  var kind: ElaboratedExpression.Kind
  /// Nil: gives nothing.
  var type: TypeTerm?
  var range: SourceRange
  /// The type of the target variable that the value came from.
  var pointee: TargetType?

  init(_ kind: ElaboratedExpression.Kind, _ type: TypeTerm?, _ range: SourceRange, pointee: TargetType? = nil)
  {
    self.kind = kind
    self.type = type
    self.range = range
    self.pointee = pointee
  }

  /// A whole number.
  static func long(_ kind: ElaboratedExpression.Kind, _ range: SourceRange) -> Draft {
    Draft(kind, .known(.long), range)
  }

  /// A string.
  static func string(_ kind: ElaboratedExpression.Kind, _ range: SourceRange) -> Draft {
    Draft(kind, .known(.string), range)
  }
}

/// Every function that is called, once for each set of target variables it is called with.
struct FunctionInstances {
  /// One function as one set of sites sees it.
  struct Instance {
    let symbol: Int
    let context: ProbeContext?
    let parameters: [TypeTerm]
    let result: TypeTerm
    /// Some `return` has a value.
    var returnsValue: Bool
    let fallback: Int?
    /// The script's own call that leads here first, through functions of the tapset or not; nil: it is in a probe of the
    /// tapset.
    let call: Name?
    /// The first place where its value is asked for.
    var valueUse: SourceRange?
  }

  private struct Key: Hashable {
    let symbol: Int
    let context: Int?
  }

  private(set) var all: [Instance] = []
  private var indexes: [Key: Int] = [:]

  var count: Int { all.count }

  subscript(_ index: Int) -> Instance {
    get { all[index] }
    set { all[index] = newValue }
  }

  /// The instance that exists already.
  func index(of symbol: Int, in context: ProbeContext?) -> Int? {
    indexes[Key(symbol: symbol, context: context?.id)]
  }

  /// Adds one; its walk follows later.
  mutating func add(_ instance: Instance) -> Int {
    indexes[Key(symbol: instance.symbol, context: instance.context?.id)] = all.count
    all.append(instance)
    return all.count - 1
  }
}
