import Glibc

/// The time zone of this process (`TZ`, `/etc/localtime`).
package enum LocalTime {
  /// What the zone is at some time.
  package struct Zone: Hashable, Sendable {
    package let name: String
    package let secondsEastOfUTC: Int64
  }

  /// The zone as it is now.
  package static var now: Zone { zone(at: Int64(Clock.realtimeNanoseconds() / 1_000_000_000)) }

  /// Name and offset of the zone at `seconds` since 1970.
  package static func zone(at seconds: Int64) -> Zone {
    var seconds = time_t(seconds)
    var broken = unsafe tm()
    let isKnown = unsafe localtime_r(&seconds, &broken) != nil
    guard isKnown, let zone = unsafe broken.tm_zone else { return Zone(name: "UTC", secondsEastOfUTC: 0) }
    let name = unsafe String(cString: zone)
    return Zone(name: name, secondsEastOfUTC: Int64(unsafe broken.tm_gmtoff))
  }
}
