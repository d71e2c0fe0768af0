package import TargetModel

/// Which functions of an image a probe point means.
package struct FunctionPattern: Hashable, Sendable {
  /// Lines of a file, as probe points write them (SystemTap stapprobes(3), “DWARF probe points”).
  package enum LineSpec: Hashable, Sendable {
    /// `@file:12`
    case absolute(Int)
    /// `@file+3`: counted from the line that declares the function.
    case relative(Int)
    /// `@file:10-20` and enumerations `@file:3,7-9`.
    case ranges([ClosedRange<Int>])
    /// `@file:*`
    case all
  }

  /// A glob; `ns::cls::f` matches from the innermost scope outwards.
  package var name: String
  /// A glob that the end of the path matches, from a `/` on.
  package var file: String?
  package var line: LineSpec?
  package var includeInlines: Bool
  package var includeOutOfLine: Bool
  /// Only what the dynamic symbol table offers.
  package var exportedOnly: Bool
  /// Whoever asks can do without files, lines and variables, or will ask for them.
  package var isPlaceEnough = false

  package init(
    name: String,
    file: String? = nil,
    line: LineSpec? = nil,
    includeInlines: Bool = false,
    includeOutOfLine: Bool = true,
    exportedOnly: Bool = false
  ) {
    self.name = name
    self.file = file
    self.line = line
    self.includeInlines = includeInlines
    self.includeOutOfLine = includeOutOfLine
    self.exportedOnly = exportedOnly
  }
}

/// One copy of a function: out of line, or inlined somewhere.
package struct FunctionMatch: Sendable, Hashable {
  package var name: String
  /// `namespace::class` around it; nil at the top.
  package var scope: String?
  package var linkageName: String?
  /// Its first instruction.
  package var entry: LinkAddress
  /// Where its variables are in place: after the prologue in unoptimised code, else `entry`.
  package var probeAddress: LinkAddress
  /// One past the last instruction of the part that holds `entry`.
  package var end: LinkAddress?
  package var file: String?
  package var line: Int?
  package var isInlineInstance: Bool
  package var isExported: Bool
  /// Identifies its debug info; nil for a symbol without.
  package var die: UInt64?

  package init(
    name: String,
    scope: String? = nil,
    linkageName: String? = nil,
    entry: LinkAddress,
    probeAddress: LinkAddress? = nil,
    end: LinkAddress? = nil,
    file: String? = nil,
    line: Int? = nil,
    isInlineInstance: Bool = false,
    isExported: Bool = false,
    die: UInt64? = nil
  ) {
    self.name = name
    self.scope = scope
    self.linkageName = linkageName
    self.entry = entry
    self.probeAddress = probeAddress ?? entry
    self.end = end
    self.file = file
    self.line = line
    self.isInlineInstance = isInlineInstance
    self.isExported = isExported
    self.die = die
  }
}

/// Which statements a probe point means: `function@file:line`.
package struct StatementPattern: Hashable, Sendable {
  /// A glob; `*` where only the file matters.
  package var function: String
  package var file: String?
  package var line: FunctionPattern.LineSpec
  /// Take the closest line that has code instead of one that has none.
  package var isNearest: Bool

  package init(
    function: String = "*",
    file: String?,
    line: FunctionPattern.LineSpec,
    isNearest: Bool = false
  ) {
    self.function = function
    self.file = file
    self.line = line
    self.isNearest = isNearest
  }
}

/// One instruction where a source line begins.
package struct StatementMatch: Sendable, Hashable {
  package var address: LinkAddress
  package var file: String
  package var line: Int
  /// The function, or innermost inlined instance, that it is in.
  package var function: FunctionMatch
}

/// What a ``StatementPattern`` matches, sorted by address.
package struct StatementResult: Sendable, Hashable {
  package var statements: [StatementMatch]
  /// Lines with code around one that has none: SystemTap's “try :A or :B”.
  package var nearestLines: [Int]
}

/// A label of the source in the code of a function.
package struct LabelMatch: Sendable, Hashable {
  package var name: String
  package var address: LinkAddress
  package var line: Int?
}

/// A function that another one calls.
package struct CalleeMatch: Sendable, Hashable {
  /// Out of line, or an instance inlined into the caller.
  package var function: FunctionMatch
  /// Where the calls return to; empty for what was inlined.
  package var calls: [LinkAddress]
  /// Some call is a jump, which leaves no trace of the caller.
  package var hasTailCall: Bool
}

/// A variable that a function's code can see.
package struct ScopedVariable: Sendable, Hashable {
  package var name: String
  package var type: TypeReference?
  package var isParameter: Bool
  package var die: UInt64
}

/// Where a variable is at one address.
package enum VariableLocation: Sendable, Hashable {
  case found(ValueLocation)
  /// In the words of a message: “optimised out here; known at lines 12–19”.
  case unavailable(reason: String)
}

/// A variable outside of all functions.
package struct GlobalVariable: Sendable, Hashable {
  /// Where it is.
  package enum Place: Sendable, Hashable {
    case address(LinkAddress)
    /// Its address, from the thread pointer; the instruction pointer in it stands for the file's address 0.
    case threadLocal(LocationPlan)
    /// Not in memory at all.
    case constant(ValueLocation)
    case unavailable(reason: String)
  }

  package var name: String
  /// DW_AT_name of its unit: the path of a source file.
  package var unit: String
  package var type: TypeReference?
  package var place: Place
}
