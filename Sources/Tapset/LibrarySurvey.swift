import Diagnostics
import Platform
import StapSyntax

/// Looks through the directories of a library: every file is read and scanned for names, or for macros.
struct LibrarySurvey {
  private(set) var diagnostics: [Diagnostic] = []
  private(set) var macros = MacroLibrary()
  private let directories: [String]
  private let environment: PreprocessorEnvironment
  private var surroundings: [FileFact] = [LibrarySurvey.program]
  private var seen: Set<DirectoryListing.Identity> = []
  private var found: [String] = []

  /// What another program would make of the files may differ.
  static let program = FileFact("/proc/self/exe")

  init(directories: [String], environment: PreprocessorEnvironment) {
    self.directories = directories
    self.environment = environment
  }

  /// What the files declare; it is kept in `store` if nothing is wrong.
  mutating func run(_ sources: inout SourceSet, keepingIn store: CatalogStore?) -> LibraryCatalog {
    let start = Clock.realtimeNanoseconds()
    for directory in directories {
      list(directory + "/" + environment.arch, isOptional: true)
      list(directory, isOptional: false)
    }
    let files = SideBySide.run(found.count) { [found] in ScannedFile(found[$0]) }
    var maker = CatalogMaker(surroundings)
    for file in files { add(file, to: &maker, &sources) }
    let bytes = maker.encoded()
    let catalog = LibraryCatalog(SharedBytes(bytes)) ?? .empty
    if diagnostics.isEmpty { store?.keep(bytes, latestChange: catalog.latestChange, start: start) }
    return catalog
  }

  private mutating func list(_ directory: String, isOptional: Bool) {
    surroundings.append(FileFact(directory))
    do {
      for entry in try DirectoryListing(directory).entries {
        guard ScannedFile.isWanted(entry.name), seen.insert(entry.identity).inserted else { continue }
        found.append(directory + "/" + entry.name)
      }
    } catch {
      if !isOptional { diagnostics.append(.unreadable(error)) }
    }
  }

  private mutating func add(_ file: ScannedFile, to maker: inout CatalogMaker, _ sources: inout SourceSet) {
    switch file.content {
    case .unreadable(let error):
      diagnostics.append(.unreadable(error))
      maker.add(file.fact, macros: [])
    case .macros(let text):
      let earlier = Set(macros.names)
      diagnostics += macros.read(SourceFile(name: file.fact.path, text: text), environment, &sources)
      maker.add(file.fact, macros: macros.names.filter { !earlier.contains($0) })
    case .script(let declarations): maker.add(file.fact, declarations)
    }
  }
}

/// Where a catalog is kept between runs.
///
/// One file for each list of directories, whose names hash to its name; the catalog knows which they were.
struct CatalogStore {
  private let cache: CacheDirectory
  private let places: [String]
  private let name: String

  /// What the catalogs of all libraries may take.
  static let byteLimit = 8 << 20

  init(_ cache: CacheDirectory, places: [String]) {
    self.cache = cache
    self.places = places
    let key = Array(places.joined(separator: "\n").utf8)
    name = String(key.rawSpan.crc64(from: 0), radix: 16) + ".catalog"
  }

  /// The kept one, if all that it was made from is as it was.
  func load() -> LibraryCatalog? {
    guard let catalog = cache.read(name).flatMap({ LibraryCatalog($0) }),
      catalog.surroundings.map(\.path) == [LibrarySurvey.program.path] + places, catalog.isCurrent
    else { return nil }
    return catalog
  }

  /// Keeps a catalog, unless what it was made from may have changed meanwhile: `start` is when reading began.
  func keep(_ bytes: [UInt8], latestChange: Int64, start: UInt64) {
    guard latestChange < Int64(clamping: start) - Clock.fileSystemTick else { return }
    cache.write(name, bytes)
    cache.prune(toByteCount: Self.byteLimit)
  }
}

extension MacroLibrary {
  /// Adds the macros of a `.stpm` file; tells what is wrong with it.
  mutating func read(
    _ file: SourceFile,
    _ environment: PreprocessorEnvironment,
    _ sources: inout SourceSet
  ) -> [Diagnostic] {
    let library = parseMacroLibrary(sources.add(file), in: sources, environment: environment)
    return library.diagnostics + (library.product.map { merge($0) } ?? [])
  }
}

extension Diagnostic {
  fileprivate static func unreadable(_ error: SystemError) -> Diagnostic {
    Diagnostic(
      .warning,
      "unreadable-tapset",
      "cannot read tapset '\(error.subject)': \(error.text)",
      at: nil
    )
  }
}
