import TargetModel

/// Where a function's arguments are when its first instruction is about to run (System V psABI for x86-64,
/// section 3.2.3).
///
/// What DWARF says of the parameters of unoptimised code holds only behind the prologue that stores them.
///
///     int f(int a, struct { long x, y; } b, double c, … seventh)    ⇒    edi, rsi:rdx, (xmm0), … [rsp + 8]
struct EntryArguments {
  private let function: DIE
  private let classes: ABIClasses
  private let returns: ReturnValue
  private let abi: CallingABI
  private let isByReference: (DIE) -> Bool

  private static let mostVectorRegisters = 8
  /// DW_TAG_GNU_formal_parameter_pack: how many there are is not said at this level.
  private static let parameterPack: UInt16 = 0x4108

  /// Nil for a function that follows another convention.
  /// - Parameter isByReference: whether the place of a parameter shows that its address was passed.
  init?(
    _ function: DIE,
    _ types: TypeReader,
    _ abi: CallingABI,
    isByReference: @escaping (DIE) -> Bool
  ) {
    guard function.unsigned(DwarfAttribute.callingConvention) ?? 1 == 1,
      function.unit?.isOfTheCFamily ?? false
    else { return nil }
    self.function = function
    classes = ABIClasses(types)
    returns = ReturnValue(types, abi)
    self.abi = abi
    self.isByReference = isByReference
  }

  /// What the parameters before have used up.
  private struct Used {
    var integers = 0
    var vectors = 0
    /// From the stack pointer at the entry, which points to the return address.
    var stack: Int64
    /// False behind something whose size on the stack is unknown.
    var isStackKnown = true
  }

  private typealias Place = Result<ValueLocation, LocationPlanner.Failure>

  /// The place of `parameter`.
  func location(of parameter: DIE) throws(LocationPlanner.Failure) -> ValueLocation {
    var used = Used(stack: Int64(abi.addressByteCount))
    let result = TypeReader.reference(function.reference(DwarfAttribute.type))
    if let result, returns.usesHiddenPointer(for: result) {
      if abi == .i386 { used.stack += 4 } else { used.integers = 1 }
    }
    for child in function.children {
      if child.tag == Self.parameterPack { break }
      guard child.tag == DwarfTag.formalParameter else { continue }
      let place = place(child, &used)
      if child.reference == parameter.reference { return try place.get() }
    }
    throw Self.unknownPlace
  }

  private static let unknownPlace = LocationPlanner.Failure(
    "its place among the function's arguments is not known"
  )
  private static let vectorRegister = LocationPlanner.Failure(
    "it is passed in a vector register, which probes cannot read"
  )

  /// Where a parameter is, and what it leaves for those behind it.
  private func place(_ parameter: DIE, _ used: inout Used) -> Place {
    let registers = RegisterFile.x86_64.arguments
    guard let type = TypeReader.reference(parameter.reference(DwarfAttribute.type)) else {
      used.isStackKnown = false
      return .failure(Self.unknownPlace)
    }
    var (passing, byteCount) = classes.passing(of: type)
    if classes.isStructure(type), isByReference(parameter) { passing = .reference }
    if abi == .i386 { return i386Place(passing, byteCount, &used) }
    switch passing {
    case .registers(let eightbytes):
      let integers = eightbytes.filter { $0 == .integer }.count
      let vectors = eightbytes.filter { $0 == .floating }.count
      guard used.integers + integers <= registers.count, used.vectors + vectors <= Self.mostVectorRegisters
      else {
        // __int128 and vectors of 16 bytes.
        let isWide = byteCount == 16 && !classes.isStructure(type)
        return stacked(byteCount, alignment: isWide ? 16 : 8, &used)
      }
      let own = Array(registers[used.integers..<used.integers + integers])
      used.integers += integers
      used.vectors += vectors
      return ValueLocation.eightbytes(eightbytes, byteCount, in: own).map { .success($0) }
        ?? .failure(Self.vectorRegister)
    case .memory(let alignment): return stacked(byteCount, alignment: alignment, &used)
    case .reference:
      guard used.integers < registers.count else {
        return stacked(8, alignment: 8, &used).map(\.pointee)
      }
      defer { used.integers += 1 }
      return .success(.memory(.user, address: .register(registers[used.integers])))
    case .nothing: return .failure(LocationPlanner.Failure("it is empty, so nothing is passed"))
    case .unknown:
      used.isStackKnown = false
      return .failure(Self.unknownPlace)
    }
  }

  /// All arguments are on the stack, in slots of four bytes (psABI for i386, section 2.2.3).
  private func i386Place(_ passing: ABIClasses.Passing, _ byteCount: Int, _ used: inout Used) -> Place {
    switch passing {
    case .registers, .memory:
      guard used.isStackKnown, byteCount > 0, byteCount < 1 << 24, used.stack < 1 << 24 else {
        return .failure(Self.unknownPlace)
      }
      let address = LocationPlan.register(RegisterFile.x86_64.stackPointer).offset(by: used.stack)
      used.stack += (Int64(byteCount) + 3) / 4 * 4
      return .success(.memory(.user, address: address))
    case .reference, .unknown:
      used.isStackKnown = false
      return .failure(Self.unknownPlace)
    case .nothing: return .failure(LocationPlanner.Failure("it is empty, so nothing is passed"))
    }
  }

  private func stacked(_ byteCount: Int, alignment: Int, _ used: inout Used) -> Place {
    guard used.isStackKnown, byteCount > 0, byteCount < 1 << 24, used.stack < 1 << 24 else {
      return .failure(Self.unknownPlace)
    }
    let step = Int64(max(alignment, 8))
    // The first argument on the stack, above the return address, is aligned to 16 bytes.
    let start = (used.stack - 8 + step - 1) / step * step + 8
    used.stack = start + (Int64(byteCount) + 7) / 8 * 8
    let address = LocationPlan.register(RegisterFile.x86_64.stackPointer).offset(by: start)
    return .success(.memory(.user, address: address))
  }
}

extension ValueLocation {
  /// The object that the pointer at this place points to.
  fileprivate var pointee: ValueLocation {
    guard case .memory(let memory, let address) = self else { return self }
    let pointer = LocationPlan.load(memory, byteCount: 8, isSigned: false, address: address)
    return .memory(memory, address: pointer)
  }
}

extension DIE {
  /// Whether the language of this unit DIE passes arguments as C does.
  fileprivate var isOfTheCFamily: Bool {
    switch unsigned(DwarfAttribute.language) {
    case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e: true  // the versions of C
    case 0x04, 0x19, 0x1a, 0x21, 0x2a, 0x2b, 0x3a: true  // the versions of C++
    case 0x10, 0x11: true  // Objective C, Objective C++
    default: false
    }
  }
}
