package import Platform

/// Finds the shared libraries that a program will load, as the dynamic linker would (ld.so(8)).
///
/// In: an open executable, an environment, a root directory. Out: paths. Nothing is run: unlike
/// `LD_TRACE_LOADED_OBJECTS` this is safe for programs nobody trusts. Preloads and processor-specific
/// variants (glibc-hwcaps) are not followed; a running process's maps know better.
package struct SharedLibraryResolver: Sendable {
  /// A library that something needs.
  package struct Library: Hashable, Sendable {
    /// As DT_NEEDED names it.
    package let name: String
    /// Where it is, `root` included, not canonical; nil when it was not found.
    package let path: String?
  }

  private let environment: Environment
  private let root: String
  private let cache: LoaderCache

  /// Prepares a search below `root` (`/proc/PID/root` for a container), with LD_LIBRARY_PATH from `environment`.
  package init(environment: Environment, root: String = "") {
    self.environment = environment
    self.root = root
    let bytes = (try? readSmallFile(root + "/etc/ld.so.cache")) ?? []
    cache = LoaderCache(SharedBytes(bytes).span)
  }

  /// Everything that `file` needs, directly or through others, breadth first, each name once.
  package func libraries(of file: ELFFile) -> [Library] {
    var found: [Library] = []
    var seen: Set<String> = []
    var pending: [Loading] = [Loading(file, parents: [])]
    while !pending.isEmpty {
      let loading = pending.removeFirst()
      for name in loading.dynamic.needed where seen.insert(name).inserted {
        let opened = open(name, for: loading)
        found.append(Library(name: name, path: opened?.path))
        if let opened { pending.append(Loading(opened, parents: [loading.dynamic] + loading.parents)) }
      }
    }
    return found
  }

  /// Those of ``libraries(of:)`` that `pattern` means: SystemTap's `.library("L")` matches paths against `*L`.
  package func libraries(of file: ELFFile, matching pattern: String) -> [Library] {
    let glob = GlobPattern("*" + pattern)
    return libraries(of: file).filter { library in
      glob.matches(library.name) || library.path.map { glob.matches($0) } ?? false
    }
  }

  /// Where `name` is for a program or library `file`; a name with a slash is a path already.
  package func path(of name: String, neededBy file: ELFFile) -> String? {
    open(name, for: Loading(file, parents: []))?.path
  }

  /// A file being loaded, with what was loaded on the way to it: DT_RPATH is inherited.
  private struct Loading {
    let file: ELFFile
    let dynamic: ELFDynamic
    let parents: [ELFDynamic]

    init(_ file: ELFFile, parents: [ELFDynamic]) {
      self.file = file
      dynamic = file.dynamic ?? ELFDynamic()
      self.parents = parents
    }
  }

  private func open(_ name: String, for loading: Loading) -> ELFFile? {
    if name.contains("/") { return fitting(root + name, loading.file) }
    for directory in directories(for: loading) {
      if let file = fitting(Paths.join(root + directory, name), loading.file) { return file }
    }
    for path in cache.paths(of: name) {
      if let file = fitting(root + path, loading.file) { return file }
    }
    for directory in defaultDirectories {
      if let file = fitting(Paths.join(root + directory, name), loading.file) { return file }
    }
    return nil
  }

  /// DT_RPATH of the chain (unless there is a DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH: in this order.
  private func directories(for loading: Loading) -> [String] {
    var directories: [String] = []
    if loading.dynamic.runpath.isEmpty {
      directories = ([loading.dynamic] + loading.parents).flatMap { $0.runpath.isEmpty ? $0.rpath : [] }
    }
    directories += environment.list("LD_LIBRARY_PATH")
    directories += loading.dynamic.runpath
    return directories.flatMap { expand($0, for: loading.file) }
  }

  /// Replaces `$ORIGIN`, `$LIB`, `$PLATFORM`, with or without braces.
  private func expand(_ directory: String, for file: ELFFile) -> [String] {
    guard directory.contains("$") else { return [directory] }
    var origin = (try? Paths.canonical(file.path)).flatMap { Paths.parent(of: $0) } ?? "."
    if !root.isEmpty, origin.hasPrefix(root) { origin = String(origin.dropFirst(root.count)) }
    return ["lib/x86_64-linux-gnu", "lib64", "lib"].map { lib in
      var text = directory
      for (name, value) in [("ORIGIN", origin), ("LIB", lib), ("PLATFORM", "x86_64")] {
        text = text.replacingAll("${\(name)}", with: value).replacingAll("$\(name)", with: value)
      }
      return text
    }
  }

  /// The file at `path` if it is a library of the same class and machine; the dynamic linker passes others by.
  private func fitting(_ path: String, _ requester: ELFFile) -> ELFFile? {
    guard let file = try? ELFFile(path: path), file.header.machine == requester.header.machine,
      file.header.is64Bit == requester.header.is64Bit
    else { return nil }
    return file
  }
}

/// Where libraries are without being asked: Debian's multiarch directories first.
private let defaultDirectories = [
  "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
]

extension String {
  /// Replaces every occurrence of `text`.
  fileprivate func replacingAll(_ text: String, with replacement: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: replacement)
  }
}
