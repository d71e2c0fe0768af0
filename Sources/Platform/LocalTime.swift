import Glibc

/// The time zone of this process (`TZ`, `/etc/localtime`).
package enum LocalTime {
  /// Name and offset of the zone at `seconds` since 1970.
  package static func zone(at seconds: Int64) -> (name: String, secondsEastOfUTC: Int64) {
    var seconds = time_t(seconds)
    var broken = unsafe tm()
    let isKnown = unsafe localtime_r(&seconds, &broken) != nil
    guard isKnown, let zone = unsafe broken.tm_zone else { return ("UTC", 0) }
    let name = unsafe String(cString: zone)
    return (name, Int64(unsafe broken.tm_gmtoff))
  }
}
