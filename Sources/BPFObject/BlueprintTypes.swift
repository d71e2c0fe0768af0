package import BTF

/// The BTF of a blueprint, with the tables that tie its code and maps to it.
///
/// The kernel wants BTF for callbacks (func_info), task storage (key and value types) and for its logs to name
/// source lines; the object file carries the same.
package struct BlueprintTypes: Sendable {
  /// A function of a program (`struct bpf_func_info`).
  package struct FunctionInfo: Hashable, Sendable {
    /// Slot of its first instruction in the program.
    package var instruction: Int
    package var type: BTFTypeID
  }

  /// A source line (`struct bpf_line_info`).
  package struct LineInfo: Hashable, Sendable {
    /// Slot in the program.
    package var instruction: Int
    package var fileNameOffset: UInt32
    package var textOffset: UInt32
    /// Line in the upper 22 bits, column in the lower 10.
    package var lineAndColumn: UInt32
  }

  package var builder = BTFBuilder()
  /// By program, in the blueprint's order.
  package var functions: [[FunctionInfo]] = []
  package var lines: [[LineInfo]] = []
  /// Key and value types of maps, by name.
  package var mapTypes: [String: (key: BTFTypeID, value: BTFTypeID)] = [:]

  /// Describes `blueprint`; maps that do without types get none unless `describesAllMaps`.
  package init(_ blueprint: ModuleBlueprint, describesAllMaps: Bool = false) {
    for map in blueprint.maps where map.needsBTF || describesAllMaps {
      mapTypes[map.name] = types(of: map)
    }
    for program in blueprint.programs {
      let prefix = program.name + functionSeparator
      functions.append(program.code.functions.enumerated().map { function($1, isMain: $0 == 0, prefix) })
      lines.append(lineTable(program.code, blueprint.sources))
    }
  }

  /// Task storage demands `int` as its key; anything of the right size does as a value.
  private mutating func types(of map: MapSpec) -> (key: BTFTypeID, value: BTFTypeID) {
    let key =
      map.keyByteCount == 4
      ? builder.integer("int", byteCount: 4, isSigned: true) : builder.bytes(map.keyByteCount)
    return (key, builder.bytes(map.valueByteCount))
  }

  private mutating func function(
    _ function: ProgramCode.Function,
    isMain: Bool,
    _ prefix: String
  ) -> FunctionInfo {
    let result = builder.integer("int", byteCount: 4, isSigned: true)
    var parameters: [(name: String, type: BTFTypeID)] = []
    var linkage = BTFBuilder.Linkage.static
    switch function.linkage {
    case _ where isMain:
      parameters = [("ctx", builder.pointer(to: .void))]
      linkage = .global
    case .static: break
    case .global(let declared):
      linkage = .global
      for (index, parameter) in declared.enumerated() {
        parameters.append(("a\(index + 1)", type(of: parameter)))
      }
    }
    let prototype = builder.prototype(result: result, parameters: parameters)
    let name = isMain ? function.name : prefix + function.name
    let type = builder.function(name, prototype: prototype, linkage: linkage)
    return FunctionInfo(instruction: function.start, type: type)
  }

  private mutating func type(of parameter: FunctionLinkage.Parameter) -> BTFTypeID {
    switch parameter {
    case .scalar: return builder.integer("long", byteCount: 8, isSigned: true)
    case .memory(let byteCount):
      let bytes = builder.bytes(byteCount)
      let block = builder.structure("block\(byteCount)", byteCount: byteCount, members: [("bytes", bytes, 0)])
      return builder.pointer(to: block)
    }
  }

  /// Once a program has lines, each of its functions needs one at its start ("missing bpf_line_info").
  private mutating func lineTable(_ code: ProgramCode, _ sources: [SourceFile]) -> [LineInfo] {
    guard let first = code.lines.first else { return [] }
    let known = Set(code.lines.map(\.instruction))
    let missing = code.functions.filter { !known.contains($0.start) }
      .map { ProgramCode.Line(instruction: $0.start, position: first.position) }
    let all = (code.lines + missing).sorted { $0.instruction < $1.instruction }
    return all.map { line in
      let position = line.position
      let source = sources.indices.contains(position.file) ? sources[position.file] : nil
      let column = min(max(position.column, 0), 1023)
      return LineInfo(
        instruction: line.instruction,
        fileNameOffset: builder.string(source?.name ?? "script"),
        textOffset: builder.string(source?.line(position.line) ?? ""),
        lineAndColumn: UInt32(clamping: position.line) << 10 | UInt32(column)
      )
    }
  }
}

/// Between program and subprogram in the names of object files, where names are shared by all programs.
let functionSeparator = "__"
