/// Opens binaries.
package protocol ProgramCatalog: Sendable {
}
