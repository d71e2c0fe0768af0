import BTF
import ELF
import Elaboration
import Platform
import TargetModel

@testable import DwarfIndex

/// What scripts and reports ask of a file.
struct Questions {
  private let translator: Translator

  init(_ translator: Translator) { self.translator = translator }

  /// Probes of the damaged program, each with what it reads.
  private static let probes = [
    ".function(\"*\").call { log($$vars$$) }",
    ".function(\"*\").return? { log($$return . $$parms) }",
    ".function(\"*\").inline? { log($$locals) }",
    ".statement(\"*@*:*\")? { log(pp()) }",
    ".statement(\"*@targets.c:20\").nearest? { log($$vars) }",
    ".mark(\"*\")? { log($$vars . $$provider) }",
    ".plt? { log(probefunc()) }",
    ".plt(\"*\").return? { log(probefunc()) }",
    ".function(\"*\").callees(2)? { log(probefunc()) }",
    ".function(\"*\").label(\"*\")? { log($$vars) }",
    ".function(\"main\")? { log(@var(\"counter\")$ . @cast(16, \"struct point\")$$ . @enumname(1, \"color\")) }",
    ".data(\"counter\").write? { log(sprint($counter)) }",
    ".function(4096)?, process(@).statement(0x1139)? { log($$vars) }",
    ".begin { log(@enumname(2, \"color\")) }",
  ]

  /// The question of that number, of the program at `path`.
  func ask(_ number: UInt8, program path: String) {
    if Int(number) % (Self.probes.count + 2) < Self.probes.count {
      let programs = FewPrograms(["program": path])
      let probe = Self.probes[Int(number) % (Self.probes.count + 2)]
      let text = "probe process(\"program\")" + probe.replacing("@)", with: "\"program\")")
      guard let (script, sources) = translator.script(Array(text.utf8)) else {
        fatalError("no script: \(text)")
      }
      _ = translator.elaborated(script, sources, programs)
    } else if number & 1 == 0 {
      askSymbols(path)
    } else {
      askStacks(path)
    }
  }

  private func askSymbols(_ path: String) {
    guard let file = try? ELFFile(path: path) else { return }
    for section in file.sections { _ = try? file.contents(of: section) }
    _ = (
      file.buildID, file.debugLink, file.debugAltLink, file.interpreter, file.dynamic, file.firstLoadAddress
    )
    _ = file.bytes(at: file.header.entry, upTo: 64)
    _ = file.stubs
    let symbols = file.symbols
    _ = symbols.functions(matching: GlobPattern("*"))
    _ = symbols.symbol(containing: file.header.entry)
    _ = file.miniDebugInfo?.symbols.functions(matching: GlobPattern("*"))
  }

  /// What a call chain asks at each function.
  private func askStacks(_ path: String) {
    let options = DebugInfoOptions(
      debugDirectories: [],
      cacheDirectory: nil,
      threads: 1,
      environment: Environment([:])
    )
    guard let image = try? ProgramImage(path: path, options: options) else { return }
    _ = image.nearestFunctions(to: "mian", limit: 3)
    for function in image.functions(matching: FunctionPattern(name: "*")).prefix(20) {
      for offset: Int64 in [0, 4, 9] {
        let address = function.entry.advanced(by: offset)
        _ = image.unwindRules(at: address)
        _ = image.sourceFrames(at: address)
        _ = image.canonicalFrameAddress(at: address)
        _ = image.returnObstacle(at: address)
      }
    }
  }

  /// Someone who can write the file can make its checksum right.
  func ask(index bytes: [UInt8]) {
    var bytes = bytes
    put(UInt64(bytes.count), at: IndexHeader.byteCountOffset, &bytes)
    put(
      bytes.rawSpan.crc64(from: IndexHeader.checksumStart),
      at: IndexHeader.checksumOffset,
      &bytes
    )
    guard let index = IndexFile(SharedBytes(bytes)) else { return }
    let query = SiteQuery(index)
    _ = query.functions(matching: FunctionPattern(name: "*"))
    _ = query.functions(matching: FunctionPattern(name: "m*", file: "targets.c"))
    _ = query.inlines(matching: FunctionPattern(name: "*"))
    _ = query.nearestFunctions(to: "mian", limit: 3)
    _ = query.enumerator(named: "RED")
    _ = query.types(named: "point", tags: [DwarfTag.structureType])
    for address: UInt64 in [0, 0x1139, .max] { _ = index.function(containing: address) }
    for stretch in index.access?.stretches ?? [] {
      _ = InflateStream.unpack(stretch, of: SharedBytes(bytes))
      _ = PartedSection(
        packed: SharedBytes(bytes),
        byteCount: stretch.byteCount,
        stretches: [stretch],
        known: [PartedSection.Known(offset: stretch.start, bytes: bytes)]
      )
    }
  }

  private func put(_ value: UInt64, at field: Int, _ bytes: inout [UInt8]) {
    for byte in 0..<8 where field + byte < bytes.count {
      bytes[field + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
    }
  }

  func ask(types bytes: [UInt8]) {
    guard let image = try? BTFImage(SharedBytes(bytes)) else { return }
    let catalog = BTFKernelCatalog(image)
    let source = BTFTypeSource(image)
    for number in 0..<min(image.typeCount, 50) {
      let type = source.reference(BTFTypeID(UInt32(number)))
      _ = source.layout(of: type)
      _ = source.spelling(of: type)
    }
    _ = (source.type(named: "struct task_struct"), source.enumerator(named: "RED"), image.function("do_exit"))
    for name in catalog.tracepointNames { _ = catalog.arguments(ofTracepoint: name) }
  }
}
