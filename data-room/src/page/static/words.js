// The page's words: English in the code, Italian here; times and numbers as their readers write them.

const ITALIAN = {
  // The frame of the page.
  "Alarms": "Allarmi", "open": "aperti", "all": "tutti", "Which alarms": "Quali allarmi", "No open alarm.": "Nessun allarme aperto.",
  "Map": "Mappa", "Layers": "Livelli", "Road users by class": "Utenti della strada per classe", "Map view": "Vista della mappa",
  "Map. Arrow keys move, plus and minus zoom, 0 shows everything, N and P step through the road users, Escape closes the details.":
    "Mappa. Le frecce spostano, più e meno ingrandiscono, 0 mostra tutto, N e P scorrono gli utenti della strada, Esc chiude i dettagli.",
  "Zoom in (+)": "Ingrandisci (+)", "Zoom in": "Ingrandisci", "Zoom out (−)": "Riduci (−)", "Zoom out": "Riduci", "Show everything (0)": "Mostra tutto (0)",
  "Show everything": "Mostra tutto", "Details": "Dettagli", "Close details": "Chiudi i dettagli", "Close (Esc)": "Chiudi (Esc)", "Time": "Tempo",
  "One minute back ([)": "Un minuto indietro ([)", "One minute back": "Un minuto indietro", "One minute on (])": "Un minuto avanti (])",
  "One minute on": "Un minuto avanti", "Play or pause (space)": "Riproduci o pausa (spazio)", "Play or pause": "Riproduci o pausa", "Speed": "Velocità",
  "Go to a moment": "Vai a un momento", "Span of the time line": "Durata della linea del tempo", "Back to now (L)": "Torna ad adesso (L)", "live": "dal vivo",
  "Time line. Arrow keys move by ten seconds, page keys by a minute, End is now.": "Linea del tempo. Le frecce spostano di dieci secondi, i tasti pagina di un minuto, Fine è adesso.",
  "Figures": "Dati", "Control room": "Sala di controllo", "Token": "Token", "Sign in": "Accedi", "Sign out": "Esci", "Close": "Chiudi", "Keyboard": "Tastiera",
  "Keyboard (?)": "Tastiera (?)", "Language": "Lingua", "Light or dark": "Chiaro o scuro", "Public information": "Informazioni al pubblico",
  "Show the token that you were given. It stays in this tab and is gone when you close it.": "Inserisca il token ricevuto. Resta in questa scheda e sparisce quando la chiude.",
  "This token is not known here.": "Questo token non è conosciuto qui.", "The data room does not answer.": "La data room non risponde.",
  "No connection to the data room: the picture is from": "Nessun collegamento con la data room: l'immagine è delle", "Trying again.": "Nuovo tentativo in corso.",
  "connecting": "collegamento", "lost": "perso", "past": "passato", "Past": "Passato", "The past cannot be shown:": "Il passato non può essere mostrato:",
  // Layers and road users.
  "Road users": "Utenti", "Signals": "Semafori", "Sensors": "Sensori", "Coverage": "Copertura", "Blind spots": "Zone cieche",
  "Person": "Pedone", "Bicycle": "Bicicletta", "Motorcycle": "Moto", "E-scooter": "Monopattino", "Car": "Auto", "Van": "Furgone", "Truck": "Camion", "Bus": "Autobus",
  "Tram": "Tram", "Animal": "Animale", "Obstacle": "Ostacolo",
  "standing": "fermo", "not known": "sconosciuta", "Heading": "Direzione", "Position": "Posizione", "Accuracy (95 %)": "Precisione (95 %)", "Size": "Dimensioni",
  "Class": "Classe", "Seen for": "Visto da", "Last seen": "Ultima vista", "Station": "Stazione", "Message": "Messaggio", "of the votes": "dei voti",
  "It is no longer on the map.": "Non è più sulla mappa.", "just now": "adesso", "ago": "fa", "Sees": "Vede", "regions": "zone",
  // Alarms.
  "not acknowledged": "non presi in carico", "raised": "da prendere in carico", "acknowledged": "preso in carico", "assigned": "assegnato", "closed": "chiuso",
  "critical": "critico", "high": "alto", "medium": "medio", "low": "basso", "cause over": "causa cessata", "State": "Stato", "Severity": "Gravità", "Cause": "Causa",
  "goes on": "in corso", "is over": "cessata", "Since": "Dalle", "About": "Riguarda", "Audit trail": "Registro", "by rule": "da regola",
  "raise:did": "sollevato", "acknowledge:did": "preso in carico", "assign:did": "assegnato", "note:did": "nota", "close:did": "chiuso", "over:did": "causa cessata", "again:did": "causa tornata",
  "Acknowledge": "Prendi in carico", "Assign": "Assegna", "Person or team": "Persona o squadra", "Note": "Nota", "Add": "Aggiungi", "Close alarm": "Chiudi allarme",
  "Somebody else has changed it meanwhile. This is how it stands now.": "Qualcun altro l'ha modificato nel frattempo. Ora sta così.",
  "You are looking at the past: alarms can be changed in the live picture.": "Sta guardando il passato: gli allarmi si modificano dal vivo.",
  "Your token may not change alarms.": "Il suo token non può modificare gli allarmi.",
  "Station {} is silent": "La stazione {} tace", "Signals of intersection {} have failed": "Semafori dell'incrocio {} guasti", "Records are not stored: {}": "I dati non vengono salvati: {}",
  "Nitrogen dioxide at {}": "Biossido di azoto a {}", "PM10 at {}": "PM10 a {}",
  "Heavy traffic": "Traffico intenso", "Accident": "Incidente", "Road works": "Lavori in corso", "Road impassable": "Strada impraticabile", "Slippery road": "Strada scivolosa",
  "Bad road surface": "Fondo stradale dissestato", "Obstacle on the road": "Ostacolo sulla strada", "Animal on the road": "Animale sulla strada", "Person on the road": "Persona sulla strada",
  "Vehicle in the wrong direction": "Veicolo contromano", "Rescue or recovery work": "Soccorso in corso", "Strong wind": "Vento forte", "Poor visibility": "Visibilità ridotta",
  "Heavy precipitation": "Forti precipitazioni", "Violence": "Violenza", "Slow vehicle": "Veicolo lento", "End of a queue": "Coda", "Public transport approaching": "Trasporto pubblico in arrivo",
  "Stationary vehicle": "Veicolo fermo", "Driver unwell": "Malore del conducente", "Emergency vehicle approaching": "Veicolo di soccorso in arrivo", "Collision risk": "Rischio di collisione",
  "Signal violation": "Passaggio col rosso", "Dangerous situation": "Situazione pericolosa",
  // Panels.
  "Overview": "Quadro", "Messages": "Messaggi", "Cameras": "Telecamere", "Compare": "Confronto", "Traffic flow": "Flusso di traffico", "Parking": "Parcheggi", "Air, noise, weather": "Aria, rumore, meteo",
  "People": "Persone", "Stations": "Stazioni", "Place": "Luogo", "veh/h": "veic/h", "km/h": "km/h", "Occupancy": "Occupazione", "Movement": "Manovra", "Delay, s": "Ritardo, s", "Queue": "Coda", "vehicles": "veicoli", "longest, m": "massima, m", "Level": "Livello", "free": "liberi", "of": "di",
  "Now on the road": "Ora in strada", "last hour": "ultima ora", "last 6 hours": "ultime 6 ore", "people/h": "pers/h", "Nothing is counted here yet.": "Qui non si conta ancora nulla.", "No parking is reported.": "Nessun parcheggio segnalato.",
  "No sensor has reported.": "Nessun sensore ha riferito.", "No one is counted here yet.": "Qui non si conta ancora nessuno.", "No station has been heard.": "Nessuna stazione sentita.",
  "Nitrogen dioxide": "Biossido di azoto", "Noise": "Rumore", "Temperature": "Temperatura", "Humidity": "Umidità", "Road surface": "Fondo stradale", "Rain": "Pioggia", "Wind": "Vento",
  "Heard": "Sentita", "Delay": "Ritardo", "Records": "Record", "Clock": "Orologio", "clock ahead": "orologio avanti", "silent": "tace", "well": "bene",
  "stored": "salvati", "duplicates removed": "duplicati rimossi", "refused": "rifiutati", "not decodable": "non decodificabili",
  "No messages here.": "Nessun messaggio qui.", "Older": "Più vecchi", "Back to the list": "Torna all'elenco", "Measured": "Misurato", "Received": "Ricevuto", "bytes": "byte", "Topic": "Argomento", "Decoded": "Decodificato",
  "Bytes": "Byte", "It does not decode.": "Non si decodifica.", "Number": "Numero", "personal data": "dati personali", "Reading messages of single road users leaves an entry in the audit log.": "Leggere messaggi di singoli utenti lascia una voce nel registro.",
  "Entity": "Entità", "Fetching.": "Caricamento.", "Not to be had:": "Non disponibile:",
  "No station sends an anonymised video stream.": "Nessuna stazione trasmette un flusso video anonimizzato.",
  "Raw pictures never leave a node. A node may be set to send an anonymised stream; none does. What its cameras see is on the map as road users and coverage.":
    "Le immagini non lasciano mai un nodo. Un nodo può trasmettere un flusso anonimizzato; nessuno lo fa. Ciò che le telecamere vedono è sulla mappa come utenti e copertura.",
  "Cameras of the stations": "Telecamere delle stazioni", "Show on the map": "Mostra sulla mappa",
  "Traffic": "Traffico", "Vehicles": "Veicoli", "Mean speed": "Velocità media", "Free spaces": "Posti liberi", "Sound level": "Livello sonoro", "What": "Che cosa", "Period A": "Periodo A", "Period B": "Periodo B", "Length": "Durata",
  "15 minutes": "15 minuti", "1 hour": "1 ora", "6 hours": "6 ore", "1 day": "1 giorno", "1 week": "1 settimana", "Mean": "Media", "Least": "Minimo", "Greatest": "Massimo", "Difference": "Differenza", "Nothing was measured in either period.": "Nulla è stato misurato nei due periodi.",
  "begins": "inizia", "no measurement": "nessuna misura", "All places": "Tutti i luoghi",
  "play or pause": "riproduci o pausa", "one minute back, on": "un minuto indietro, avanti", "back to now": "torna ad adesso", "next, previous alarm": "allarme successivo, precedente", "acknowledge the open alarm": "prendi in carico l'allarme aperto",
  "tabs on the right": "schede a destra", "next, previous road user": "utente successivo, precedente", "zoom, show everything": "ingrandisci, mostra tutto", "layers": "livelli", "close details": "chiudi i dettagli", "this list": "questo elenco",
  // Screens for a wall and for the street.
  "Warnings": "Avvisi", "No warning is in force.": "Nessun avviso in corso.", "Air": "Aria", "good": "buona", "fair": "discreta", "poor": "scarsa", "flowing": "scorrevole", "slow": "rallentato", "Traffic now": "Traffico adesso",
  "Counted by the city's sensors. No person is shown or recorded here.": "Contato dai sensori della città. Nessuna persona è mostrata o registrata qui.", "free spaces": "posti liberi", "road users now": "utenti ora", "open alarms": "allarmi aperti", "stations heard": "stazioni sentite", "vehicles per hour": "veicoli all'ora", "no data": "nessun dato",
};

const stored = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};
const wanted = new URLSearchParams(location.search).get("lang") ?? stored("masa-language") ?? (navigator.language.startsWith("it") ? "it" : "en");
export let language = wanted === "it" ? "it" : "en";

/** The words in the reader's language. Words for a state may carry what tells them from others after a colon. */
export function t(words) {
  return (language === "it" ? ITALIAN[words] : undefined) ?? ENGLISH[words] ?? words;
}

const ENGLISH = {
  "raise:did": "raised", "acknowledge:did": "acknowledged", "assign:did": "assigned to", "note:did": "note", "close:did": "closed", "over:did": "cause over", "again:did": "cause again",
  "raised": "not acknowledged",
};

export function setLanguage(next) {
  language = next;
  document.documentElement.lang = next;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-title]")) node.title = t(node.dataset.tTitle);
}

const locale = () => (language === "it" ? "it-IT" : "en-GB");

/** Times are those of the reader's place. */
export function timeOfDay(ms, seconds) {
  return new Date(ms).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" });
}

export function dateTime(ms) {
  return `${new Date(ms).toLocaleDateString(locale(), { weekday: "short", day: "numeric", month: "short" })} ${timeOfDay(ms, true)}`;
}

/** How long something has been, as people say it. */
export function ago(ms) {
  const s = Math.max(0, ms / 1000);
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} ${language === "it" ? "g" : "d"}`;
}

export const number = (value, digits = 0) => value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
