import Platform

/// Where utrace runs: what neither kernel nor user decide.
struct Surroundings: Sendable {
  var userID: UInt32
  /// `docker`, `podman` or the like; nil outside containers.
  var container: String?
  /// Whether process IDs here are those that the kernel itself uses.
  var hasFirstProcessIDs: Bool
  /// `DEBUGINFOD_URLS`.
  var debugInfoServers: String?
  /// Places of things kept between runs, each with why nothing can be kept there.
  var caches: [(name: String, path: String?, problem: String?)]

  /// Those of this process.
  static func current(_ environment: Environment) -> Surroundings {
    Surroundings(
      userID: (try? FileStatus(of: "/proc/self").userID) ?? 0,
      container: container(environment),
      hasFirstProcessIDs: hasFirstProcessIDs,
      debugInfoServers: environment["DEBUGINFOD_URLS"].flatMap { $0.isEmpty ? nil : $0 },
      caches: [("index cache", "index"), ("module cache", "modules")].map { name, kind in
        let cache = CacheDirectory.standard(kind, environment: environment)
        return (name, cache?.path, cache?.writingProblem().map { $0.text })
      }
    )
  }

  /// What container engines leave behind (systemd, “The Container Interface”).
  private static func container(_ environment: Environment) -> String? {
    if let name = environment["container"], !name.isEmpty { return name }
    if let text = try? readSmallText("/run/systemd/container") { return text.filter { !$0.isNewline } }
    for (path, name) in [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")]
    where (try? FileStatus(of: path)) != nil {
      return name
    }
    return nil
  }

  /// The first process ID namespace has a fixed number (Linux, include/linux/proc_ns.h).
  private static var hasFirstProcessIDs: Bool {
    guard let name = try? Paths.linkTarget("/proc/self/ns/pid") else { return true }
    return name == "pid:[\(0xefff_fffc as UInt32)]"
  }
}
