import Foundation
import TestSupport

/// Debian binaries that tests look at where they are installed.
enum TestBinaries {
  static let postgres = "/usr/lib/postgresql/15/bin/postgres"
  static let python = "/usr/bin/python3.11"
  static let libstdcxx = "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"
  static let libc = "/usr/lib/x86_64-linux-gnu/libc.so.6"
  static let libjvm = "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"

  static let installed = [postgres, python, libstdcxx, libc, libjvm].filter {
    FileManager.default.fileExists(atPath: $0)
  }
}

/// What readelf(1) says.
func readelf(_ arguments: String...) throws -> [Substring] {
  try run("readelf", ["-W"] + arguments).output.split(separator: "\n")
}
