/// This release of utrace.
enum Release {
  /// Its number; module files name it.
  static let version = "0.1.0"
}
