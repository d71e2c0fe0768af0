/// What a script means: every name linked, every type known, every probe point landed.
///
/// In: the ``Script`` of the user, a tapset library to pull from, and an ``ElaborationEnvironment`` that opens
/// binaries and knows the kernel. Out: an ``ElaboratedProgram``, or every mistake found. The way is points
/// (`Points`, `Resolvers`: aliases and wildcards to sites, sites to groups) → bodies (`Bodies`: names and types) with
/// `Targets` between them (`$x` to location plans). May import Diagnostics, TargetModel, StapSyntax, Tapset,
/// DwarfIndex, USDT, BTF.
package import Diagnostics
package import StapSyntax

/// Links, types and resolves `script`; tapset files that it needs are added to `sources`.
package func elaborate(
  _ script: Script,
  sources: inout SourceSet,
  environment: ElaborationEnvironment
) -> Checked<ElaboratedProgram> {
  var elaborator = Elaborator(environment: environment, sources: sources)
  let program = elaborator.run(script)
  sources = elaborator.sources
  return Checked(program, elaborator.diagnostics.all)
}
