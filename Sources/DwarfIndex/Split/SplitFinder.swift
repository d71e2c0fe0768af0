import ELF
import Platform

/// Looks for the split units of a program: one `.dwp` for all of them, or a `.dwo` file for each (GDB manual,
/// “Separate Debug Files”; gcc's wiki, “DebugFission”).
struct SplitFinder {
  /// The program's DWARF with the split units in it; nil when there is nothing to put back.
  private(set) var merged: ELFFile?
  /// Whether every unit was found.
  private(set) var isComplete = true
  /// One line for each place looked at, at most a few dozen.
  private(set) var report: [String] = []

  /// - Parameters:
  ///   - main: the file with the skeletons.
  ///   - path: of the program as its process sees it, below `root`.
  init(_ main: ELFFile, path: String, root: String) {
    // Skeletons count on a table of addresses; without it there are none, and nothing has to be unpacked.
    let mayBeSplit = main.section(named: ".debug_addr") != nil
    let skeletons = mayBeSplit ? Skeleton.all(in: DwarfSections(main: main, alternate: nil)) : []
    guard !skeletons.isEmpty else {
      if main.hasZstdDebugInfo {
        merged = MergedDwarf(main, []).file(path: main.path, machine: main.header.machine)
      }
      return
    }
    var merger = MergedDwarf(main, skeletons)
    let wanted = Set(skeletons.map(\.number))
    let own = String(main.path.dropFirst(root.utf8.count))
    var packages = [path + ".dwp"]
    if own != path { packages.append(own + ".dwp") }
    for (index, package) in packages.enumerated() where !merger.missing.isEmpty {
      guard let file = open(root + package, as: package) else { continue }
      SplitFile(file, key: index).packedUnits { wanted.contains($0) }.forEach { merger.add($0) }
    }
    var key = packages.count
    for skeleton in merger.missing {
      for place in Self.places(of: skeleton, beside: own) {
        guard let file = open(root + place, as: place) else { continue }
        key += 1
        SplitFile(file, key: key).allUnits().forEach { merger.add($0) }
        break
      }
    }
    isComplete = merger.missing.isEmpty
    if !isComplete {
      report.append("\(merger.missing.count) of \(skeletons.count) split units not found")
    }
    merged = merger.file(path: main.path, machine: main.header.machine)
  }

  /// As the compiler wrote it, else beside the program.
  private static func places(of skeleton: Skeleton, beside program: String) -> [String] {
    let directory = Paths.parent(of: program) ?? "/"
    let name = skeleton.fileName
    let last = name.split(separator: "/").last.map(String.init) ?? name
    var places = [name.hasPrefix("/") ? name : Paths.join(skeleton.directory, name)]
    if !name.hasPrefix("/") { places.append(Paths.join(directory, name)) }
    places.append(Paths.join(directory, last))
    return places
  }

  private mutating func open(_ path: String, as shown: String) -> ELFFile? {
    let file = try? ELFFile(path: path)
    if report.count < 24 {
      report.append("\(shown): \(file == nil ? "no split DWARF" : "split DWARF found")")
    }
    return file
  }
}
