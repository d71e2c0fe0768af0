import Diagnostics
import TraceIR

/// The positions that instructions name, each once; all bodies share one table, which copies of the builder must not copy.
final class LocationTable {
  private let sources: SourceSet
  private var indexes: [SourceRange: Int] = [:]
  private var fileIndexes: [SourceID: Int] = [:]
  private(set) var files: [String] = []
  private(set) var locations: [ScriptLocation] = []

  init(_ sources: SourceSet) { self.sources = sources }

  /// The index of the place where `range` starts.
  func index(of range: SourceRange) -> Int {
    let start = SourceRange(range.source, range.bytes.lowerBound..<range.bytes.lowerBound)
    if let index = indexes[start] { return index }
    let index = locations.count
    indexes[start] = index
    let position = sources[range.source].position(of: range.bytes.lowerBound)
    locations.append(ScriptLocation(file: file(range.source), line: position.line, column: position.column))
    return index
  }

  private func file(_ source: SourceID) -> Int {
    if let index = fileIndexes[source] { return index }
    fileIndexes[source] = files.count
    files.append(sources[source].name)
    return files.count - 1
  }
}
