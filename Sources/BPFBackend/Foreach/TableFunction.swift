import BPFObject
import TraceIR

/// What of each share of a statistic is merged.
enum GatheredPart: Hashable {
  /// All that is no histogram; the sums of squares only if they are wanted.
  case fields(StatisticLayout, squares: Bool)
  /// One bucket of a histogram, of shares of so many bytes.
  case bucket(shareByteCount: Int)
  /// Words side by side from an offset on, added up where the caller says.
  case words(offset: Int, count: Int)
}

/// Code behind the main function that depends on a table or an order, written for those that are used.
enum TableFunction: Hashable {
  // As `bpf_for_each_map_elem` calls them.
  case collect(WalkContent, fixed: [Bool])
  case contains(GlobalID, fixed: [Bool])
  case delete(GlobalID, fixed: [Bool])
  case gatherSlice(GlobalID, fixed: [Bool], GatheredPart)
  // As `bpf_loop` calls them.
  case makeRoom(GlobalID)
  case clearAges(GlobalID)
  // Called with addresses.
  case remember(GlobalID)
  case findCount(GlobalID, inserting: Bool)
  case equalFields(StringField)
  case insert(RowClass, RowOrder?)
  case gather(GatheredPart)
  case variance
  case birth(offset: Int)
  // Called with numbers only.
  case claimSlot
  case rowAtPlace(RowClass)
  case putRow(RowClass)
  case less(RowOrder)
  case sift(RowOrder)
  case rise(RowOrder)
  case takeApart(RowOrder)
  case highProduct

  fileprivate var name: String {
    switch self {
    case .collect: "collect"
    case .contains: "contains"
    case .delete: "delete_slice"
    case .gatherSlice: "gather_slice"
    case .makeRoom: "make_room"
    case .clearAges: "clear_ages"
    case .remember: "remember"
    case .birth: "birth"
    case .findCount: "find_count"
    case .equalFields: "equal_fields"
    case .insert: "insert_row"
    case .gather: "gather"
    case .variance: "variance"
    case .claimSlot: "claim_slot"
    case .rowAtPlace: "row_at_place"
    case .putRow: "put_row"
    case .less: "less"
    case .sift: "sift"
    case .rise: "rise"
    case .takeApart: "take_apart"
    case .highProduct: "high_product"
    }
  }

  /// Those that are given numbers are verified once, on their own.
  fileprivate var linkage: FunctionLinkage {
    switch self {
    case .collect, .contains, .delete, .gatherSlice, .equalFields, .insert, .gather, .makeRoom, .clearAges,
      .remember, .birth, .findCount:
      .static
    case .variance: .global([.memory(byteCount: Gathered.byteCount)])
    case .claimSlot: .global([])
    case .rowAtPlace: .global([.scalar])
    case .putRow, .less, .rise, .takeApart, .highProduct: .global([.scalar, .scalar])
    case .sift: .global([.scalar, .scalar, .scalar])
    }
  }
}

extension CodeWriter {
  mutating func function(_ kind: TableFunction) -> Assembler.Function {
    if let known = tableFunctions[kind] { return known }
    let number = tableFunctions.count
    let function = code.makeFunction("\(kind.name)_\(number)", linkage: kind.linkage)
    tableFunctions[kind] = function
    pendingTableFunctions.append(kind)
    return function
  }

  /// Writes those that were called, and what they call; after the main function.
  mutating func writeTableFunctions() {
    while let kind = pendingTableFunctions.popLast() {
      code.begin(function(kind))
      write(kind)
      writePendingRounds()
    }
  }

  private mutating func write(_ kind: TableFunction) {
    switch kind {
    case .collect(let content, let fixed): writeCollectCallback(content, fixed)
    case .contains(let global, let fixed): writeContainsCallback(global, fixed)
    case .delete(let global, let fixed): writeDeleteCallback(global, fixed)
    case .gatherSlice(let global, let fixed, let part): writeGatherCallback(global, fixed, part)
    case .makeRoom(let global): writeMakeRoom(global)
    case .clearAges(let global): writeClearAges(global)
    case .remember(let global): writeRemember(global)
    case .birth(let offset): writeBirth(offset)
    case .findCount(let global, let inserting): writeFindCount(global, inserting: inserting)
    case .equalFields(let field): writeEqualFields(field)
    case .insert(let rowClass, let order): writeInsert(rowClass, order)
    case .gather(let part): writeGather(part)
    case .variance: writeVariance()
    case .claimSlot: writeClaimSlot()
    case .rowAtPlace(let rowClass): writeRowAtPlace(rowClass)
    case .putRow(let rowClass): writePutRow(rowClass)
    case .less(let order): writeLess(order)
    case .sift(let order): writeSift(order)
    case .rise(let order): writeRise(order)
    case .takeApart(let order): writeTakeApart(order)
    case .highProduct: writeHighProduct()
    }
  }
}
