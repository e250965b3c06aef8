// Electrons into the shashlik calorimeter, whose showers anchored_light makes.
//
//   electrons [events] [electrons an event] [fast|full]
#include <cmath>
#include <cstdlib>
#include <string>

#include "FTFP_BERT.hh"
#include "G4Box.hh"
#include "G4Event.hh"
#include "G4FastSimulationPhysics.hh"
#include "G4LogicalVolume.hh"
#include "G4NistManager.hh"
#include "G4PVPlacement.hh"
#include "G4PVReplica.hh"
#include "G4ParticleGun.hh"
#include "G4ParticleTable.hh"
#include "G4Region.hh"
#include "G4RunManagerFactory.hh"
#include "G4SDManager.hh"
#include "G4Step.hh"
#include "G4SystemOfUnits.hh"
#include "G4THitsMap.hh"
#include "G4Timer.hh"
#include "G4TouchableHistory.hh"
#include "G4UserEventAction.hh"
#include "G4VFastSimSensitiveDetector.hh"
#include "G4VSensitiveDetector.hh"
#include "G4VUserActionInitialization.hh"
#include "G4VUserDetectorConstruction.hh"
#include "G4VUserPrimaryGeneratorAction.hh"
#include "GeneratedShowers.hh"
#include "Randomize.hh"
#include "anchored_light.hpp"

namespace {

constexpr G4int kCells = 30, kLayers = 66;
constexpr G4double kPitch = 20.2 * mm, kLead = 2 * mm, kTile = 4 * mm, kLayer = kLead + kTile;
constexpr G4double kWidth = kCells * kPitch, kLength = kLayers * kLayer;

/// Energy of each cell, from steps and from generated showers alike.
class CellDetector : public G4VSensitiveDetector, public G4VFastSimSensitiveDetector {
 public:
  explicit CellDetector(const G4String& name) : G4VSensitiveDetector(name) { collectionName.insert("energy"); }

  void Initialize(G4HCofThisEvent* collections) override {
    fMap = new G4THitsMap<G4double>(SensitiveDetectorName, collectionName[0]);
    if (fIndex < 0) fIndex = G4SDManager::GetSDMpointer()->GetCollectionID(fMap);
    collections->AddHitsCollection(fIndex, fMap);
  }

  G4bool ProcessHits(G4Step* step, G4TouchableHistory*) override {
    return Add(step->GetPreStepPoint()->GetTouchable(), step->GetTotalEnergyDeposit());
  }

  G4bool ProcessHits(const G4FastHit* hit, const G4FastTrack*, G4TouchableHistory* touchable) override {
    return Add(touchable, hit->GetEnergy());
  }

 private:
  G4bool Add(const G4VTouchable* touchable, G4double energy) {
    // levels: 0 the cell (iy), 1 its column (ix)
    if (energy > 0) fMap->add(touchable->GetReplicaNumber(1) * kCells + touchable->GetReplicaNumber(0), energy);
    return energy > 0;
  }

  G4THitsMap<G4double>* fMap = nullptr;
  G4int fIndex = -1;
};

/// World > calorimeter > layers > lead and tiles > columns of cells along x > cells along y.
class Detector : public G4VUserDetectorConstruction {
 public:
  explicit Detector(bool fast) : fFast(fast) {}

  G4VPhysicalVolume* Construct() override {
    auto* nist = G4NistManager::Instance();
    auto* air = nist->FindOrBuildMaterial("G4_AIR");
    auto* lead = nist->FindOrBuildMaterial("G4_Pb");
    auto* scintillator = nist->FindOrBuildMaterial("G4_PLASTIC_SC_VINYLTOLUENE");
    auto* world = Box("World", 2 * m, 2 * m, 4 * m, air);
    auto* block = Box("Calorimeter", kWidth, kWidth, kLength, lead);
    auto* layer = Box("Layer", kWidth, kWidth, kLayer, lead);
    auto* tile = Box("Tile", kWidth, kWidth, kTile, scintillator);
    auto* column = Box("Column", kPitch, kWidth, kTile, scintillator);
    fCell = Box("Cell", kPitch, kPitch, kTile, scintillator);
    auto* placed = new G4PVPlacement(nullptr, {}, world, "World", nullptr, false, 0);
    new G4PVPlacement(nullptr, {0, 0, 1 * m}, block, "Calorimeter", world, false, 0);
    new G4PVReplica("Layer", layer, block, kZAxis, kLayers, kLayer);
    new G4PVPlacement(nullptr, {0, 0, 0.5 * kLead}, tile, "Tile", layer, false, 0);
    new G4PVReplica("Column", column, tile, kXAxis, kCells, kPitch);
    new G4PVReplica("Cell", fCell, column, kYAxis, kCells, kPitch);
    fRegion = new G4Region("Calorimeter");
    fRegion->AddRootLogicalVolume(block);
    return placed;
  }

  void ConstructSDandField() override {  // once in each thread
    auto* detector = new CellDetector("cells");
    G4SDManager::GetSDMpointer()->AddNewDetector(detector);
    SetSensitiveDetector(fCell, detector);
    if (fFast) {
      const Cells cells{kCells, kPitch, 150 * mm, kLead + 0.5 * kTile};
      new GeneratedShowers<ecalgen::anchored_light>("anchored_light", fRegion, cells, 1);
    }
  }

 private:
  static G4LogicalVolume* Box(const G4String& name, G4double x, G4double y, G4double z, G4Material* material) {
    return new G4LogicalVolume(new G4Box(name, 0.5 * x, 0.5 * y, 0.5 * z), material, name);
  }

  const bool fFast;
  G4LogicalVolume* fCell = nullptr;
  G4Region* fRegion = nullptr;
};

/// Electrons of 1 to 100 GeV, with a density of 1/E, parallel to the axis and within 10 cm of it.
class Gun : public G4VUserPrimaryGeneratorAction {
 public:
  explicit Gun(G4int electrons) : fElectrons(electrons) {
    fGun.SetParticleDefinition(G4ParticleTable::GetParticleTable()->FindParticle("e-"));
    fGun.SetParticleMomentumDirection({0, 0, 1});
  }

  void GeneratePrimaries(G4Event* event) override {
    for (G4int i = 0; i < fElectrons; ++i) {
      fGun.SetParticlePosition({(2 * G4UniformRand() - 1) * 10 * cm, (2 * G4UniformRand() - 1) * 10 * cm, 0});
      fGun.SetParticleEnergy(std::pow(100.0, G4UniformRand()) * GeV);
      fGun.GeneratePrimaryVertex(event);
    }
  }

 private:
  const G4int fElectrons;
  G4ParticleGun fGun{1};
};

/// Prints what the cells see, and the time of the event.
class Reader : public G4UserEventAction {
 public:
  void BeginOfEventAction(const G4Event*) override { fTimer.Start(); }

  void EndOfEventAction(const G4Event* event) override {
    fTimer.Stop();
    const auto index = G4SDManager::GetSDMpointer()->GetCollectionID("cells/energy");
    const auto* map = static_cast<G4THitsMap<G4double>*>(event->GetHCofThisEvent()->GetHC(index));
    G4double sum = 0;
    for (const auto& [cell, energy] : *map->GetMap()) sum += *energy;
    G4cout << "event " << event->GetEventID() << ": " << sum / GeV << " GeV in " << map->entries() << " cells, "
           << fTimer.GetRealElapsed() << " s" << G4endl;
  }

 private:
  G4Timer fTimer;
};

class Actions : public G4VUserActionInitialization {
 public:
  explicit Actions(G4int electrons) : fElectrons(electrons) {}
  void Build() const override {
    SetUserAction(new Gun(fElectrons));
    SetUserAction(new Reader);
  }

 private:
  const G4int fElectrons;
};

}  // namespace

int main(int argc, char** argv) {
  const G4int events = argc > 1 ? std::atoi(argv[1]) : 10, electrons = argc > 2 ? std::atoi(argv[2]) : 100;
  const bool fast = argc <= 3 || std::string(argv[3]) != "full";
  auto* manager = G4RunManagerFactory::CreateRunManager(G4RunManagerType::Default);
  auto* physics = new FTFP_BERT(0);
  if (fast) {
    auto* simulation = new G4FastSimulationPhysics;
    simulation->ActivateFastSimulation("e-");
    simulation->ActivateFastSimulation("e+");
    physics->RegisterPhysics(simulation);
  }
  manager->SetUserInitialization(new Detector(fast));
  manager->SetUserInitialization(physics);
  manager->SetUserInitialization(new Actions(electrons));
  manager->Initialize();
  manager->BeamOn(events);
  delete manager;
  return 0;
}
