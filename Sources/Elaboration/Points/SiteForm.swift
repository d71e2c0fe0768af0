import MachineCode
import StapSyntax
import TargetModel

/// One site that a script's probe point led to, and the answers there.
///
/// A class, as ``SiteForm``: many sites are handed around by several threads.
final class LandedSite: Sendable {
  let kind: SiteGrouper.Kind
  let site: ProbeSite
  let processes: ProcessScope
  let scope: any TargetScope
  let condition: ElaboratedExpression?
  let answers: [TargetAnswer]

  init(
    _ kind: SiteGrouper.Kind,
    _ site: ProbeSite,
    _ processes: ProcessScope,
    _ candidate: ProbeCandidate,
    _ answers: [TargetAnswer]
  ) {
    self.kind = kind
    self.site = site
    self.processes = processes
    scope = candidate.scope
    condition = candidate.condition
    self.answers = answers
  }
}

/// A site as it is filed: what decides about its group, and what it brings into it.
final class SiteForm: Sendable {
  let landed: LandedSite
  let site: ProbeSite
  let answers: [TargetAnswer]
  /// Where registers are kept for the answers that read them as they were at the entry.
  let entry: EntryPoint?
  let key: Key

  init(_ landed: LandedSite, _ site: ProbeSite, _ answers: [TargetAnswer], _ entry: EntryPoint?, _ key: Key) {
    self.landed = landed
    self.site = site
    self.answers = answers
    self.entry = entry
    self.key = key
  }

  /// Sites with equal ones share a program.
  struct Key: Hashable {
    let kind: SiteGrouper.Kind
    let processes: ProcessScope
    let path: String
    /// In its text form.
    let condition: String?
    let meanings: [TargetMeaning]
    let arguments: SiteGrouper.ArgumentPlaces
    /// Where the stack pointer of the entry is told, when something is kept from there: at the site and at the entry.
    let entryStackPointers: [FrameOffset?]
  }
}

/// Makes the forms of sites, each for itself, so that it is done side by side.
struct SiteFormer: Sendable {
  let questions: SiteQuestions
  /// Whether the body walks on from values by the types of one program.
  let separatesPrograms: Bool
  /// Whether texts capture the same things at all sites.
  var sharesCaptures = false

  private var registers: RegisterFile { questions.registers }

  func form(_ landed: LandedSite) -> SiteForm {
    var site = landed.site
    let entry = entryPoint(for: landed)
    var answers = entry == nil ? landed.answers.map { $0.withoutEntry } : landed.answers
    if sharesCaptures {
      answers = answers.map { SharedCaptures.shared($0, registers, &site.description.loads) }
    }
    site.description.formats = answers.formats
    let key = SiteForm.Key(
      kind: landed.kind,
      processes: landed.processes,
      path: separatesPrograms ? site.path : "",
      condition: landed.condition?.text,
      meanings: answers.map { $0.meaning },
      arguments: argumentPlaces(landed.scope),
      entryStackPointers: [entry?.stackPointer, entry?.stackPointerAtSites]
    )
    return SiteForm(landed, site, answers, entry, key)
  }

  /// Where registers are kept for the answers that read them as they were at the entry; nil: they are not.
  private func entryPoint(for landed: LandedSite) -> EntryPoint? {
    if landed.answers.contains(where: { !$0.registers(atEntry: true).isEmpty }),
      let behind = landed.scope.entryBehindPrologue
    {
      return behind
    }
    let kept = landed.answers.reduce(into: Set<Int>()) { $0.formUnion($1.entryRegisters) }
    // A program for each kind of frame would be dozens.
    guard !kept.isEmpty, !sharesCaptures || landed.answers.contains(where: \.isKeptNumber) else { return nil }
    var entry = landed.scope.entryPoint(keeping: X86Registers(dwarf: kept))
    entry?.isOptional = landed.answers.allSatisfy(\.toleratesMissingEntry)
    return entry
  }

  /// Where the body's `long_arg(n)` are.
  func argumentPlaces(_ scope: any TargetScope) -> SiteGrouper.ArgumentPlaces {
    let inRegisters = scope.abi == .x86_64 ? registers.arguments.count : 0
    let isOnStack = questions.lastArgument > inRegisters
    return SiteGrouper.ArgumentPlaces(abi: scope.abi, stack: isOnStack ? scope.stackArguments : nil)
  }
}

extension [TargetAnswer] {
  /// How the texts among them are made of what they capture.
  var formats: [SiteFormat] {
    compactMap { answer in
      guard case .text = answer.meaning else { return nil }
      return answer.format
    }
  }
}
