import Diagnostics
import StapSyntax
import Tapset

/// Pulling tapset files in when a name of theirs is wanted.
///
/// A file comes whole: its globals, functions, aliases and probes (langref, "Tapsets").
extension Elaborator {
  /// Links the files that declare the function `name`.
  mutating func linkTapset(function name: String) {
    link(tapset.files(declaringFunction: name, in: &sources))
  }

  /// Links the files that declare the global `name`.
  mutating func linkTapset(global name: String) {
    link(tapset.files(declaringGlobal: name, in: &sources))
  }

  /// Links the files with an alias that `point` may name.
  mutating func linkTapset(aliasFor point: ProbePoint) {
    link(tapset.files(declaringAliasFor: point, in: &sources))
  }

  /// Names of tapset functions, for suggestions.
  var tapsetFunctionNames: [String] { tapset.functionNames.filter { !$0.hasPrefix("_") } }

  private mutating func link(_ files: [TapsetLibrary.File]) {
    for file in files where linkedTapsetFiles.insert(file.source).inserted {
      for diagnostic in file.diagnostics { report(diagnostic) }
      guard let script = file.script else { continue }
      declare(script, isTapset: true)
      addProbes(of: script)
    }
  }
}
