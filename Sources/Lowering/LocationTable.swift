import Diagnostics

/// The positions that instructions name, each once; all bodies share one table, which copies of the builder must not copy.
final class LocationTable {
  private let sources: SourceSet
  private var indexes: [SourceRange: Int] = [:]
  private(set) var texts: [String] = []

  init(_ sources: SourceSet) { self.sources = sources }

  /// The index of the place where `range` starts.
  func index(of range: SourceRange) -> Int {
    let start = SourceRange(range.source, range.bytes.lowerBound..<range.bytes.lowerBound)
    if let index = indexes[start] { return index }
    let index = texts.count
    indexes[start] = index
    texts.append(sources.describe(start))
    return index
  }
}
