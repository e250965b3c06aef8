// Showers of a generator of ecalgen in place of electrons and positrons that enter a calorimeter.
//
// Generator is a class of `ecalgen export --format cpp`. The envelope is the region of a G4Box whose front face is at -z
// and whose cells are those of the generator, or more of the same kind.
#ifndef GENERATED_SHOWERS_HH
#define GENERATED_SHOWERS_HH

#include <cmath>
#include <cstdint>

#include "G4Box.hh"
#include "G4Electron.hh"
#include "G4Event.hh"
#include "G4EventManager.hh"
#include "G4FastHit.hh"
#include "G4FastSimHitMaker.hh"
#include "G4FastStep.hh"
#include "G4FastTrack.hh"
#include "G4Positron.hh"
#include "G4SystemOfUnits.hh"
#include "G4VFastSimulationModel.hh"

/// The generator's cells, and where they are sensitive.
struct Cells {
  G4int count;              ///< along x, and along y
  G4double pitch;           ///< of the cells
  G4double referenceDepth;  ///< of the plane in which the training set's tracks cross the central cells
  G4double sensitiveDepth;  ///< behind the front face, inside the first sensitive volume
};

template <class Generator>
class GeneratedShowers : public G4VFastSimulationModel {
 public:
  GeneratedShowers(const G4String& name, G4Region* envelope, const Cells& cells, std::uint32_t seed)
      : G4VFastSimulationModel(name, envelope), fCells(cells), fSeed(seed) {}

  G4bool IsApplicable(const G4ParticleDefinition& particle) override {
    return &particle == G4Electron::Definition() || &particle == G4Positron::Definition();
  }

  /// Particles at the front face that the generator knows.
  G4bool ModelTrigger(const G4FastTrack& track) override {
    const Particle p = Enter(track);
    return std::abs(track.GetPrimaryTrackLocalPosition().z() - FrontFace(track)) < 1e-6 * mm &&
           Generator::knows(p.px, p.py, p.pz, p.x, p.y);
  }

  /// Stop the particle, and hit the cells of its shower.
  void DoIt(const G4FastTrack& track, G4FastStep& step) override {
    const Particle p = Enter(track);
    const auto event = G4EventManager::GetEventManager()->GetConstCurrentEvent()->GetEventID();
    const std::uint64_t number = (std::uint64_t(fSeed) << 32) + std::uint64_t(event);
    fGenerator.shower(number, std::uint64_t(track.GetPrimaryTrack()->GetTrackID()), p.px, p.py, p.pz, p.x, p.y, fEnergy,
                      fWorkspace);
    step.KillPrimaryTrack();
    step.ProposePrimaryTrackPathLength(0.0);
    const G4double z = FrontFace(track) + fCells.sensitiveDepth;
    const auto* box = static_cast<const G4Box*>(track.GetEnvelopeSolid());
    for (G4int ix = 0; ix < fCells.count; ++ix) {
      const G4double x = p.shiftX + (ix - 0.5 * (fCells.count - 1)) * fCells.pitch;
      for (G4int iy = 0; iy < fCells.count; ++iy) {
        const G4double y = p.shiftY + (iy - 0.5 * (fCells.count - 1)) * fCells.pitch;
        const float energy = fEnergy[ix * fCells.count + iy];
        if (energy > 0 && std::abs(x) < box->GetXHalfLength() && std::abs(y) < box->GetYHalfLength()) {
          const auto position = track.GetInverseAffineTransformation()->TransformPoint(G4ThreeVector(x, y, z));
          fHitMaker.make(G4FastHit(position, energy * MeV), track);
        }
      }
    }
  }

 private:
  struct Particle {
    float px, py, pz, x, y;   // GeV, and cm from the centre of the generator's cells
    G4double shiftX, shiftY;  // whole cells
  };

  /// The particle in the envelope's coordinates, moved by whole cells so that its track crosses the central ones.
  Particle Enter(const G4FastTrack& track) const {
    const auto momentum = track.GetPrimaryTrackLocalMomentum() / GeV;
    const auto position = track.GetPrimaryTrackLocalPosition();
    auto shift = [&](G4double at, G4double along) {
      return fCells.pitch * std::round((at + fCells.referenceDepth * along / momentum.z()) / fCells.pitch);
    };
    const G4double x = shift(position.x(), momentum.x()), y = shift(position.y(), momentum.y());
    return {float(momentum.x()), float(momentum.y()), float(momentum.z()), float((position.x() - x) / cm),
            float((position.y() - y) / cm), x, y};
  }

  static G4double FrontFace(const G4FastTrack& track) {
    return -static_cast<const G4Box*>(track.GetEnvelopeSolid())->GetZHalfLength();
  }

  const Generator fGenerator{};
  const Cells fCells;
  const std::uint32_t fSeed;
  typename Generator::Workspace fWorkspace;
  float fEnergy[Generator::cells];
  G4FastSimHitMaker fHitMaker;
};

#endif
